package slurm

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestResumeFileOfEveryRelease(t *testing.T) {
	tests := []struct {
		name string
		data string
		want ResumeFile
	}{
		{"22.05, as slurmctld wrote it", string(read(t, "resume_22.05.json")), ResumeFile{
			Nodes: []string{"aws-hpc-001", "aws-hpc-002", "aws-hpc-003", "aws-hpc-004", "aws-hpc-005", "aws-hpc-006"},
			Jobs: []Job{
				{ID: "1", Resume: []string{"aws-hpc-001", "aws-hpc-002", "aws-hpc-003", "aws-hpc-004"}},
				{ID: "8", Resume: []string{"aws-hpc-005"}},
				{ID: "9", Resume: []string{"aws-hpc-006"}},
			}}},
		{"22.05, components of a heterogeneous job", string(read(t, "resume_22.05_het.json")), ResumeFile{
			Nodes: []string{"aws-hpc-007", "aws-hpc-008"},
			Jobs:  []Job{{ID: "4", Resume: []string{"aws-hpc-007"}}, {ID: "5", Resume: []string{"aws-hpc-008"}}}}},
		{"23.02, some of the job's nodes are up, nulls",
			`{"all_nodes_resume":"n[2-3]","jobs":[{"extra":null,"features":null,"job_id":7,"nodes_alloc":"n[1-3]","nodes_resume":"n[2-3]","oversubscribe":"OK","partition":"hpc","reservation":null}]}`,
			ResumeFile{Nodes: []string{"n2", "n3"}, Jobs: []Job{{ID: "7", Resume: []string{"n2", "n3"},
				Alloc: []string{"n1", "n2", "n3"}, Partition: "hpc", Oversubscribe: "OK"}}}},
		{"26.05, keys nobody knew",
			`{"all_nodes_resume":"n1","later":{"a":[1]},"jobs":[{"exclusive":"NODE","extra":"asba:x","features":"c6i&efa","job_id":7,"nodes_alloc":"n1","nodes_resume":"n1","oversubscribe":"NO","partition":"hpc","priority":4294901759,"reservation":"r"}]}`,
			ResumeFile{Nodes: []string{"n1"}, Jobs: []Job{{ID: "7", Resume: []string{"n1"}, Alloc: []string{"n1"},
				Partition: "hpc", Extra: "asba:x", Features: "c6i&efa", Oversubscribe: "NO"}}}},
		{"nodes powered up by hand have no job", `{"jobs":[],"all_nodes":"n1"}`, ResumeFile{Nodes: []string{"n1"}}},
		{"null for a list of jobs", `{"jobs":null,"all_nodes":"n1"}`, ResumeFile{Nodes: []string{"n1"}}},
		{"two jobs share a node", `{"jobs":[{"job_id":1,"nodes":"n1"},{"job_id":2,"nodes":"n1"}],"all_nodes":"n1"}`, ResumeFile{
			Nodes: []string{"n1"}, Jobs: []Job{{ID: "1", Resume: []string{"n1"}}, {ID: "2", Resume: []string{"n1"}}}}},
		{"extra is not UTF-8", "{\"jobs\":[{\"job_id\":1,\"nodes_resume\":\"n1\",\"extra\":\"\xff\"}]}", ResumeFile{
			Jobs: []Job{{ID: "1", Resume: []string{"n1"}, Extra: "\uFFFD"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadResumeFile([]byte(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestResumeFileIsAllOrAnError(t *testing.T) {
	whole := string(read(t, "resume_22.05.json"))
	tests := []struct{ name, data, want string }{
		{"empty", "", "resume file: empty"},
		{"blanks only", "  ", "resume file: cut short at byte 2"},
		{"cut short", whole[:40], "resume file: cut short at byte 40"},
		{"not JSON", `{"jobs": nodes}`, "resume file: not JSON at byte 10"},
		{"another type", `{"jobs":[{"job_id":"x"}]}`, "resume file: at byte 19"},
		{"a list", `[]`, "resume file: at byte 0"},
		{"no job id", `{"jobs":[{"nodes":"n1"}]}`, "resume file: jobs[0] has no job_id"},
		{"bad hostlist", `{"jobs":[{"job_id":3,"nodes":"n[1-"}]}`, "resume file: job 3: "},
		{"bad hostlist for all", `{"all_nodes":"n[2-1]"}`, "resume file: all nodes: "},
		{"more after the end", `{"jobs":[]} {}`, "resume file: not JSON at byte 12"},
		{"too large", strings.Repeat(" ", maxResumeFile+1), "resume file: 16777217 bytes, more than 16777216"},
		{"too many names", `{"jobs":[` + strings.Repeat(`{"job_id":1,"nodes":"n[1-65000]"},`, 17) + `{"job_id":2}]}`,
			"resume file: job 1: more than 1048576 node names"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ReadResumeFile([]byte(tt.data))
			if err == nil || f != nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, %v\nwant %s", f, err, tt.want)
			}
		})
	}
}

func FuzzReadResumeFile(f *testing.F) {
	f.Add(read(f, "resume_22.05.json"))
	f.Add(read(f, "resume_22.05_het.json"))
	f.Add([]byte(`{"all_nodes_resume":"n[2-3]","jobs":[{"extra":null,"job_id":7,"nodes_alloc":"n[1-3]","nodes_resume":"n[2-3]"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadResumeFile(data)
		if (got == nil) == (err == nil) {
			t.Fatalf("both or neither: %v, %v", got, err)
		}
		if err != nil {
			return
		}
		for _, j := range got.Jobs {
			if j.ID == "" || j.ID == "0" {
				t.Errorf("job without an id in %+v", got)
			}
		}
	})
}
