//go:build lab

package watchdog

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWatchdog is the life of one: it is told to end, it is left, it is left again
// while it is kept alive from elsewhere.
func TestWatchdog(t *testing.T) {
	rack, err := Mount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rack.Close(); err != nil {
			t.Error(err)
		}
	}()
	bites := make(chan string, 10)
	path := rack.Add("one", func() { bites <- "one" })
	calm := armed(t, rack.Add("calm", func() { bites <- "calm" }))

	dog := armed(t, path)
	if _, err := os.OpenFile(path, os.O_WRONLY, 0); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("two may use it: %v", err)
	}
	if _, err := dog.WriteString("V"); err != nil {
		t.Fatal(err)
	}
	end(t, dog)

	begin := time.Now()
	end(t, armed(t, path)) // without the letter
	for len(bites) == 0 {
		if time.Since(begin) > time.Minute {
			t.Fatal("it does not bite")
		}
		if _, err := calm.WriteString("\x00"); err != nil {
			t.Fatal(err)
		}
	}
	if bitten := <-bites; bitten != "one" || time.Since(begin) < time.Second {
		t.Errorf("it is %s that bites, after %v", bitten, time.Since(begin))
	}
	if _, err := calm.WriteString("V"); err != nil {
		t.Fatal(err)
	}
	end(t, calm)
}

// armed opens a watchdog with the shortest time-out.
func armed(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	for begin := time.Now(); errors.Is(err, syscall.EBUSY) && time.Since(begin) < time.Minute; {
		file, err = os.OpenFile(path, os.O_WRONLY, 0) // close(2) does not wait for us
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(file.Fd()), unix.WDIOC_SETTIMEOUT, 1); err != nil {
		t.Fatal(err)
	}
	if left, err := unix.IoctlGetInt(int(file.Fd()), unix.WDIOC_GETTIMEOUT); err != nil || left != 1 {
		t.Errorf("its time-out is %d s (%v)", left, err)
	}
	return file
}

func end(t *testing.T, file *os.File) {
	t.Helper()
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}
