// Package room does everything that a room may not do.
package room

import (
	"context"
	_ "crypto/rand"   // want `package crypto/rand is not for executor rooms: use Env.Rand`
	_ "encoding/json" // want `package encoding/json .*json.Deterministic`
	"fmt"
	_ "io/ioutil" // want `package io/ioutil`
	_ "log"       // want `package log .*use Env.Log`
	_ "log/slog"  // want `package log/slog`
	"maps"
	_ "math/rand"    // want `package math/rand`
	_ "math/rand/v2" // want `package math/rand/v2`
	_ "net"          // want `package net is`
	_ "net/http"     // want `package net/http`
	_ "os"           // want `package os .*declare a port`
	_ "os/exec"      // want `package os/exec`
	"path/filepath"
	_ "plugin"  // want `package plugin`
	_ "runtime" // want `package runtime`
	"slices"
	_ "sync"        // want `package sync is`
	_ "sync/atomic" // want `package sync/atomic`
	_ "syscall"     // want `package syscall`
	_ "testing"     // want `package testing`
	"time"
	_ "unsafe" // want `package unsafe`

	"github.com/go-json-experiment/json"
)

func clock(ctx context.Context) {
	t := time.Now()      // want `time.Now is not for executor rooms: use Env.Now`
	now := time.Now      // want `time.Now`
	_ = time.Since(t)    // want `time.Since`
	_ = time.Until(t)    // want `time.Until`
	time.Sleep(1)        // want `time.Sleep .*use Env.Sleep`
	_ = time.After(1)    // want `time.After is`
	time.AfterFunc(1, f) // want `time.AfterFunc`
	_ = time.Tick(1)     // want `time.Tick`
	_ = time.NewTimer(1) // want `time.NewTimer`
	time.NewTicker(1)    // want `time.NewTicker`
	_ = now

	context.WithCancel(ctx)                 // want `context.WithCancel .*use Env.WithDeadline`
	context.WithCancelCause(ctx)            // want `context.WithCancelCause`
	context.WithDeadline(ctx, t)            // want `context.WithDeadline`
	context.WithDeadlineCause(ctx, t, nil)  // want `context.WithDeadlineCause`
	context.WithTimeout(ctx, 1)             // want `context.WithTimeout`
	(context.WithTimeoutCause)(ctx, 1, nil) // want `context.WithTimeoutCause`
	context.AfterFunc(ctx, f)               // want `context.AfterFunc`
}

func f() {
	if recover() != nil { // want `recover .*only the engine`
		println("x") // want `println`
		print("x")   // want `print`
	}
}

func concurrency(c chan int) { // want `a channel .*use env.Map`
	go f()        // want `go is not`
	c <- 1        // want `a send`
	<-c           // want `a receive`
	close(c)      // want `close`
	for range c { // want `range over a channel`
	}
	select {} // want `select`
}

type set map[string]bool

func order[M ~map[string]int](m set, g M) {
	for range m { // want `range over a map .*slices.Sorted`
	}
	for range g { // want `range over a map`
	}
	out, last := map[string]int{}, 0
	for k, v := range g { // want `range over a map`
		if v > 0 {
			out["last"] = v
			last = v
		}
		_ = k
	}
	for _, v := range g { // want `range over a map`
		out["last"] = v
	}
	for k := range g { // want `range over a map`
		out[k] = last
	}
	for range maps.Keys(m) { // want `maps.Keys`
	}
	_ = slices.Collect(maps.Values(m)) // want `maps.Values`
	for range maps.All[set](m) {       // want `maps.All`
	}
	json.Marshal(m)                            // want `Deterministic`
	json.Marshal(m, json.Deterministic(false)) // want `Deterministic`
	json.MarshalWrite(nil, m)                  // want `Deterministic`
}

func say() {
	fmt.Print("x")            // want `fmt.Print .*use Env.Log`
	fmt.Printf("x")           // want `fmt.Printf`
	fmt.Println("x")          // want `fmt.Println`
	filepath.Abs("")          // want `path/filepath.Abs`
	filepath.Glob("")         // want `path/filepath.Glob`
	filepath.Walk("", nil)    // want `path/filepath.Walk`
	filepath.WalkDir("", nil) // want `path/filepath.WalkDir`
	filepath.EvalSymlinks("") // want `path/filepath.EvalSymlinks`
}
