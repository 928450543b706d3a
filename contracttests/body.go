package contracttests

import (
	"bytes"
	"io"
)

// reader is a request body that need not be closed.
func reader(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }
