package contracttests

import "net/http"

// Handler is what an in-process client calls.
func (c *Client) Handler() http.Handler { return c.target.Handler }
