package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tagTime is how tags tell a time.
const tagTime = "2006-01-02T15:04:05.000000000Z"

// Pass lets time pass, as far as the programs can tell: whatever the journal
// and the tags of live instances say of when, was so much earlier. The clock of
// the machine stays as it is.
func (w *Site) Pass(ctx context.Context, d time.Duration) error {
	err := filepath.WalkDir(w.State, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && (e.IsDir() || !strings.HasSuffix(path, ".json")) {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if data, err = earlier(data, d); err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o600)
	})
	if err != nil {
		return err
	}
	all, err := w.Instances(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		tags := map[string]string{}
		for _, key := range []string{bornTag, expiryTag} {
			if at, err := time.Parse(time.RFC3339Nano, i.Tag(key)); err == nil {
				tags[key] = at.Add(-d).Format(tagTime)
			}
		}
		if len(tags) == 0 {
			continue
		}
		if err := w.EC2.tag(ctx, i.ID, tags); err != nil {
			return err
		}
	}
	w.changed()
	return nil
}

// earlier subtracts d from every number of a record that can only be a time in
// nanoseconds.
func earlier(record []byte, d time.Duration) ([]byte, error) {
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for key, x := range v {
				v[key] = walk(x)
			}
		case []any:
			for i, x := range v {
				v[i] = walk(x)
			}
		case json.Number:
			const y2001, y2128 = 1_000_000_000_000_000_000, 5_000_000_000_000_000_000
			if n, err := v.Int64(); err == nil && n > y2001 && n < y2128 {
				return json.Number(strconv.FormatInt(n-int64(d), 10))
			}
		}
		return v
	}
	// A record may go on in more lines.
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	dec := json.NewDecoder(bytes.NewReader(record))
	dec.UseNumber()
	for {
		var v any
		err := dec.Decode(&v)
		if err == io.EOF {
			return out.Bytes(), nil
		}
		if err == nil {
			err = enc.Encode(walk(v))
		}
		if err != nil {
			return nil, err
		}
	}
}
