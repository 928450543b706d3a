//go:build unix

package contracttests

import (
	"net"
	"syscall"
)

// quiet asks, at the price of one system call, whether a connection is open and
// nothing lies in it. What does lie in it is lost: then it is of no more use.
func quiet(conn net.Conn) func() bool {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var b [1]byte
	var got error
	read := func(fd uintptr) bool {
		_, got = syscall.Read(int(fd), b[:]) // the socket does not block
		return true
	}
	return func() bool {
		got = nil
		err := raw.Read(read)
		return err == nil && (got == syscall.EAGAIN || got == syscall.EWOULDBLOCK)
	}
}
