package behavior

import "strconv"

// A Position points into a document. Line and Column count from 1; zero means
// unknown.
type Position struct {
	File         string
	Line, Column int
}

// String is "file:line:column", or the file alone where the line is unknown.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}
