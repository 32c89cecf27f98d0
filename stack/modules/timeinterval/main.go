// Timeinterval answers questions about Alertmanager's time intervals with Alertmanager's own package, at any moment of
// the calendar, since a running Alertmanager knows only the present one.
//
// One JSON object a line on the standard input, one JSON object a line on the standard output, in the same order; it ends
// with the input. Bad questions are answered by {"id":..., "error":"..."}; the exit code is 0 unless reading or writing
// itself fails.
//
// A question has
//
//	id         any integer, given back in the answer
//	intervals  the list that stands under `time_intervals:` of one named time interval: as a JSON array, or as a string
//	           that holds the YAML of that list. It is read as strictly as Alertmanager reads it.
//	at         a moment (RFC 3339), or
//	from, to   a range of moments (RFC 3339, from < to, at most 1,500 days)
//
// With `at` the answer is {"id":1,"contains":true}: whether any interval of the list contains the moment.
//
// With `from` and `to` it is
//
//	{"id":1,"contains":false,
//	 "boundaries":[{"at":"2026-03-30T07:00:00Z","contains":true}, ...],
//	 "offset_changes":[{"at":"2026-03-29T01:00:00Z","location":"Europe/Berlin","before":3600,"after":7200}, ...]}
//
// contains is that of the first whole minute at or after `from`; each boundary is the first minute, in UTC, at which the
// list contains time or no longer does, within (that minute, to). Minutes are the finest that an interval can name.
// offset_changes are the moments in [from, to) at which a location of the list changes its offset to UTC, in seconds:
// daylight saving begins or ends there.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sort"
	"time"
	// Where the machine has no time zones of its own, as in slim containers, these serve.
	_ "time/tzdata"

	"github.com/prometheus/alertmanager/timeinterval"
	"gopkg.in/yaml.v2"
)

const longestRange = 1500 * 24 * time.Hour

type question struct {
	ID        int64           `json:"id"`
	Intervals json.RawMessage `json:"intervals"`
	At        *time.Time      `json:"at"`
	From      *time.Time      `json:"from"`
	To        *time.Time      `json:"to"`
}

type boundary struct {
	At       time.Time `json:"at"`
	Contains bool      `json:"contains"`
}

type offsetChange struct {
	At       time.Time `json:"at"`
	Location string    `json:"location"`
	Before   int       `json:"before"`
	After    int       `json:"after"`
}

type moment struct {
	ID       int64 `json:"id"`
	Contains bool  `json:"contains"`
}

type calendar struct {
	moment
	Boundaries    []boundary     `json:"boundaries"`
	OffsetChanges []offsetChange `json:"offset_changes"`
}

type failure struct {
	ID    int64  `json:"id"`
	Error string `json:"error"`
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Printf("muster's timeinterval, with alertmanager %s\n", packageVersion())
		return
	}
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "usage: timeinterval [--version]; questions are read from the standard input")
		os.Exit(2)
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func packageVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/prometheus/alertmanager" {
				return module.Version
			}
		}
	}
	return "of an unknown version"
}

func serve(in io.Reader, out io.Writer) error {
	reader := bufio.NewReader(in)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 1 {
			answer, encodingErr := json.Marshal(answerTo(line))
			if encodingErr != nil {
				return encodingErr
			}
			if _, writingErr := out.Write(append(answer, '\n')); writingErr != nil {
				return writingErr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func answerTo(line []byte) any {
	var asked question
	if err := json.Unmarshal(line, &asked); err != nil {
		return failure{asked.ID, "not a question: " + err.Error()}
	}
	intervals, err := intervalsOf(asked.Intervals)
	if err != nil {
		return failure{asked.ID, err.Error()}
	}
	switch {
	case asked.At != nil && asked.From == nil && asked.To == nil:
		return moment{asked.ID, contains(intervals, *asked.At)}
	case asked.At == nil && asked.From != nil && asked.To != nil:
		if !asked.From.Before(*asked.To) || asked.To.Sub(*asked.From) > longestRange {
			return failure{asked.ID, "`from` must lie before `to`, by at most 1,500 days"}
		}
		return calendarOf(asked.ID, intervals, asked.From.UTC(), asked.To.UTC())
	}
	return failure{asked.ID, "a question has either `at`, or `from` and `to`"}
}

func intervalsOf(raw json.RawMessage) ([]timeinterval.TimeInterval, error) {
	if len(raw) == 0 {
		return nil, errors.New("a question has `intervals`")
	}
	text := []byte(raw)
	if raw[0] == '"' {
		var quoted string
		if err := json.Unmarshal(raw, &quoted); err != nil {
			return nil, err
		}
		text = []byte(quoted)
	}
	var intervals []timeinterval.TimeInterval
	// JSON is YAML, and Alertmanager reads YAML.
	if err := yaml.UnmarshalStrict(text, &intervals); err != nil {
		return nil, err
	}
	return intervals, nil
}

// contains asks as Alertmanager's Intervener does: any interval, time in UTC.
func contains(intervals []timeinterval.TimeInterval, at time.Time) bool {
	for _, interval := range intervals {
		if interval.ContainsTime(at.UTC()) {
			return true
		}
	}
	return false
}

func calendarOf(id int64, intervals []timeinterval.TimeInterval, from, to time.Time) calendar {
	first := from.Truncate(time.Minute)
	if first.Before(from) {
		first = first.Add(time.Minute)
	}
	now := contains(intervals, first)
	answer := calendar{moment{id, now}, []boundary{}, offsetChangesOf(intervals, from, to)}
	for at := first.Add(time.Minute); at.Before(to); at = at.Add(time.Minute) {
		if then := contains(intervals, at); then != now {
			now = then
			answer.Boundaries = append(answer.Boundaries, boundary{at, now})
		}
	}
	return answer
}

func offsetChangesOf(intervals []timeinterval.TimeInterval, from, to time.Time) []offsetChange {
	changes := []offsetChange{}
	seen := map[string]bool{}
	for _, interval := range intervals {
		if interval.Location == nil || seen[interval.Location.String()] {
			continue
		}
		location := interval.Location.Location
		seen[location.String()] = true
		// ZoneBounds knows where the offset of a moment ends.
		for at := from.Add(-time.Nanosecond).In(location); ; {
			_, end := at.ZoneBounds()
			if end.IsZero() || !end.Before(to) {
				break
			}
			_, before := at.Zone()
			at = end
			if _, after := at.Zone(); after != before {
				changes = append(changes, offsetChange{at.UTC(), location.String(), before, after})
			}
		}
	}
	sort.SliceStable(changes, func(a, b int) bool { return changes[a].At.Before(changes[b].At) })
	return changes
}
