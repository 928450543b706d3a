package report

import "io"

// writeJSON writes the document as it stands; its types say what is in it.
func writeJSON(w io.Writer, d *document) error { return encodeJSON(w, d) }
