// Understudy stands in for HTTP APIs, as their OpenAPI documents say.
package main

import (
	"os"

	"github.com/understudy-dev/understudy/cmd"
)

func main() {
	os.Exit(cmd.Main(os.Args[1:], os.Stdout, os.Stderr))
}
