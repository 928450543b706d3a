//go:build !race

package contracttests_test

// slow is whether everything takes ten times as long: with the race detector.
const slow = false
