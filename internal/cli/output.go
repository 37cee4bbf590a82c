package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// formatFlag adds -o to a command that reads.
func formatFlag(cmd *cobra.Command, format *string, value string) {
	cmd.Flags().StringVarP(format, "output", "o", value, "table or json")
}

// show prints v as JSON, or as the table that rows writes.
func (a *app) show(format string, v any, rows func(w io.Writer)) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(a.out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(v)
	case "table":
		table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
		rows(table)
		return table.Flush()
	}
	return usagef("invalid output format %q: use table or json", format)
}

// row writes one row of a table.
func row(w io.Writer, cells ...any) {
	texts := make([]string, 0, len(cells))
	for _, cell := range cells {
		text := fmt.Sprint(cell)
		if text == "" {
			text = "-"
		}
		texts = append(texts, text)
	}
	fmt.Fprintln(w, strings.Join(texts, "\t"))
}

// seconds writes a duration as people say it.
func seconds(s float64) string { return fmt.Sprintf("%.1f s", s) }

// counted is a number of things: "1 node", "2 nodes".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
