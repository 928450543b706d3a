package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/understudy-dev/understudy/contracttests"
	"github.com/understudy-dev/understudy/mockserver"
)

// mostWorkers bounds how many worlds a run uses at once.
const mostWorkers = 64

// client is how a run calls the server, which has to be there.
func (f *checkFlags) client(ctx context.Context, base *url.URL, config *contracttests.Config) (*contracttests.Client, error) {
	if err := reach(ctx, base, f.timeout); err != nil {
		return nil, usagef("%s cannot be reached: %w", f.url, err)
	}
	return contracttests.NewClient(contracttests.Target{
		URL: f.url, API: config.API, Credentials: config.Credentials, Timeout: f.timeout, Rate: f.rate,
	}), nil
}

// reach connects, and sends nothing.
func reach(ctx context.Context, u *url.URL, patience time.Duration) error {
	port := u.Port()
	if port == "" {
		port = u.Scheme
	}
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// A backPutter puts the server back to its first state.
type backPutter struct {
	client contracttests.Sender
	path   string
	err    error // the last one
}

func (b *backPutter) reset(ctx context.Context) error {
	x := b.client.Send(ctx, contracttests.Request{Method: http.MethodPost, Target: b.path})
	switch {
	case x.Err != nil:
		b.err = fmt.Errorf("POST %s: %w", b.path, x.Err)
	case x.Response.Status < 200 || x.Response.Status > 299:
		b.err = fmt.Errorf("POST %s is answered with %d; want 2xx", b.path, x.Response.Status)
	default:
		b.err = nil
	}
	return b.err
}

// mock is whether the server is one of ours. Other stand-ins have the same path and
// say more.
func (b *backPutter) mock(ctx context.Context) bool {
	x := b.client.Send(ctx, contracttests.Request{Method: http.MethodGet, Target: healthPath})
	if x.Err != nil || x.Response.Status != http.StatusOK {
		return false
	}
	var got map[string]any
	return json.Unmarshal(x.Response.Body, &got) == nil && len(got) == 1 && got["status"] == "healthy"
}

// inWorld sends what it is given in a world of the mock.
type inWorld struct {
	contracttests.Sender
	world string
}

func (s inWorld) Send(ctx context.Context, r contracttests.Request) contracttests.Exchange {
	header := maps.Clone(r.Header)
	if header == nil {
		header = http.Header{}
	}
	header[mockserver.WorldHeader] = []string{s.world}
	r.Header = header
	return s.Sender.Send(ctx, r)
}

// runWorkers makes one run of several, each with a shard of the operations and a world
// of the mock that is its own.
func runWorkers(ctx context.Context, n int, config contracttests.Config, back *backPutter, p *progress) (*contracttests.Result, error) {
	results, errs := make([]*contracttests.Result, n), make([]error, n)
	configs := make([]contracttests.Config, n)
	for i := range configs {
		c := config
		world := fmt.Sprintf("check-%d-%d", os.Getpid(), i+1)
		putter := &backPutter{client: inWorld{back.client, world}, path: back.path}
		c.Sender = inWorld{config.Sender, world}
		c.Reset = putter.reset
		c.World = config.World.Fork()
		c.Shard, c.Shards = i+1, n
		c.Progress = p.of(i)
		if c.MaxRequests > 0 {
			c.MaxRequests = (c.MaxRequests + n - 1) / n
		}
		if c.Walk > 0 {
			c.Walk = (c.Walk + n - 1) / n
		}
		configs[i] = c
	}
	var wg sync.WaitGroup
	for i := range configs {
		wg.Go(func() { results[i], errs[i] = configs[i].Run(ctx) })
	}
	wg.Wait()
	for i, err := range errs {
		if results[i] == nil {
			return nil, err
		}
	}
	for _, c := range configs {
		_ = c.Reset(context.WithoutCancel(ctx)) // nobody else uses that world
	}
	return contracttests.Merge(results...), ctx.Err()
}
