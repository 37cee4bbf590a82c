package remote

import (
	"regexp"
	"slices"
	"strings"
)

// safeWord has no byte that means anything to a shell, wherever it stands
// behind the first word.
var safeWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// Quote makes the one line that a POSIX shell splits into argv again, byte for
// byte; sshd hands every command to the login shell of the user (sshd(8)).
// Words that need no quotes get none. A NUL byte cannot be carried: [Client.Run]
// refuses it.
func Quote(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = quoteWord(word, i == 0)
	}
	return strings.Join(words, " ")
}

// quoteWord quotes with single quotes, in which a shell sees nothing but the
// closing quote.
func quoteWord(word string, first bool) string {
	if safeWord.MatchString(word) && (!first || !special(word)) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// special reports whether a shell would not take a bare first word for the name
// of a command: an assignment, an option of the shell itself (sshd runs
// "SHELL -c LINE"), or a reserved word (POSIX XCU 2.4, and those of bash and zsh).
func special(word string) bool {
	return strings.Contains(word, "=") || strings.HasPrefix(word, "-") || slices.Contains([]string{
		"case", "coproc", "do", "done", "elif", "else", "end", "esac", "fi", "for",
		"foreach", "function", "if", "in", "namespace", "nocorrect", "repeat", "select",
		"then", "time", "until", "while",
	}, word)
}
