package host

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPipe asks a daemon that answers at once, by 1 and by 64 clients, and
// reports how long a question takes.
func BenchmarkPipe(b *testing.B) {
	for name, clients := range map[string]int{"1 client": 1, "64 clients": 64} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			p, path := NewPipes(filepath.Join(dir, "asks"), -1), filepath.Join(dir, "asba.pipe")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				b.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				b.Fatal(err)
			}
			go func() {
				for lines := bufio.NewScanner(f); lines.Scan() && lines.Text() != "stop"; {
					to := strings.TrimPrefix(lines.Text(), "for ")
					go func() {
						r, err := os.OpenFile(to, os.O_WRONLY|syscall.O_NONBLOCK, 0)
						if err == nil {
							_, _ = r.WriteString(strings.Repeat("x", 2000) + "\n")
							_ = r.Close()
						}
					}()
				}
				_ = f.Close()
			}()
			defer func() { _, _ = f.WriteString("stop\n") }()
			took := make([]time.Duration, b.N)
			var wg sync.WaitGroup
			b.ResetTimer()
			for c := range clients {
				wg.Go(func() {
					for i := c; i < b.N; i += clients {
						ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
						start := time.Now()
						pipe, err := p.Find(path)
						if err == nil {
							_, err = pipe.Ask(ctx, forReply, 1<<20)
						}
						took[i] = time.Since(start)
						cancel()
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
