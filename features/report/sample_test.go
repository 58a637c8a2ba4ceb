package report

import "time"

// sample is a run with every outcome there is, small enough to read in a report.
func sample() Summary {
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	given := Step{Keyword: "Given", Text: `the execution plan "gang.json"`, Line: 8, Status: Passed, Elapsed: ms(1)}
	s := Summary{
		Name: "asba", Version: "v1.2.3", Tags: "~@slow", Seed: 7, Concurrency: 4, Started: started, Elapsed: ms(1500),
		Backend: Backend{Name: "localstack", Rung: "localstack-host", Product: "LocalStack 4.14.0", URL: "http://127.0.0.1:1", Why: "no container engine"},
		Features: []Feature{{
			File: "f/gang.feature", Name: "Gangs", Description: "Whole or not at all.", Line: 2, Tags: []string{"@gang"},
			Scenarios: []Scenario{{
				Name: "a gang of 2", Rule: "whole or gone", Keyword: "Scenario", Line: 10, Outline: 10, Tags: []string{"@gang"},
				Status: Passed, Started: started, Elapsed: ms(250), Log: []string{"launched"},
				Steps: []Step{given,
					{Keyword: "When", Text: `Slurm resumes "n[1-2]" with "gang.json"`, Line: 11, Status: Passed, Elapsed: ms(200),
						Attachments: []Attachment{{Name: "calls.txt", MediaType: "text/plain", Body: []byte("RunInstances")}}},
					{Keyword: "Then", Text: "the launch asks for:", Line: 12, Status: Passed, Table: [][]string{{"MinCount", "2"}, {"InstanceType", "c6i.xlarge"}}},
					{Keyword: "And", Text: "it reads", Line: 15, Status: Passed, DocString: `{"n": 1}`, MediaType: "json"},
				},
				Runs: []Run{{
					Command: "aws-slurm-burst-resume n[1-2] --execution-plan=gang.json", Began: ms(20), Took: ms(180), Mode: "asba",
					Stderr: []string{"WARN: c6i.xlarge spot us-east-1a: InsufficientInstanceCapacity, trying c6i.xlarge spot us-east-1b"},
					Nodes: []Node{
						{"n1", "launched", "i-1", "c6i.xlarge", "spot", "us-east-1b", "10.0.0.4"},
						{"n2", "launched", "i-2", "c6i.xlarge", "spot", "us-east-1b", "10.0.0.5"},
					},
					Calls: []Call{
						{At: ms(40), Took: ms(2), Action: "DescribeInstances", Detail: "of the cluster", Status: 200},
						{At: ms(60), Took: ms(3), Action: "RunInstances", Detail: "2 × c6i.xlarge spot us-east-1a, at most 0.0850 $/h each", Status: 500, Code: "InsufficientInstanceCapacity", Rule: "rules of the scenario:2"},
						{At: ms(80), Took: ms(40), Action: "RunInstances", Detail: "2 × c6i.xlarge spot us-east-1b, at most 0.0850 $/h each", Status: 200, Instances: []string{"i-1", "i-2"}},
					},
				}, {
					Command: "aws-slurm-burst-suspend n2", Began: ms(210), Took: ms(30),
					Nodes: []Node{{Name: "n2", State: "terminated", Instance: "i-2"}},
					Calls: []Call{
						{At: ms(215), Took: ms(5), Action: "TerminateInstances", Detail: "1 instance", Rule: "rules of the scenario:3", Instances: []string{"i-2"}},
						{At: ms(230), Took: ms(5), Action: "TerminateInstances", Detail: "1 instance", Status: 200, Instances: []string{"i-2"}},
					},
				}},
			}, {
				Name: `it <breaks> & "ends"`, Rule: "whole or gone", Keyword: "Scenario Outline", Line: 24, Outline: 20, Tags: []string{"@gang"},
				Status: Failed, Started: started, Elapsed: ms(250), Log: []string{"$ aws-slurm-burst-resume n1  -> exit 5"},
				Steps: []Step{given,
					{Keyword: "When", Text: "it fails", Line: 21, Status: Failed, Problem: "no capacity\nin any zone", Elapsed: ms(100)},
					{Keyword: "Then", Text: "it works", Line: 22, Status: NotRun},
				},
				Runs: []Run{{Command: "aws-slurm-burst-resume n1", Exit: 5, Began: ms(10), Took: ms(90),
					Stderr: []string{"ERROR: No capacity for 1 nodes: <script>alert(1)</script> (1)"}, Mode: "standalone",
					Nodes: []Node{{Name: "n1", State: "given-back"}},
					Calls: []Call{{At: ms(30), Took: ms(1), Action: "RunInstances", Detail: "1 × c6i.xlarge on-demand us-east-1a", Status: 503, Code: "RequestLimitExceeded", Rule: "rules of the scenario:2"}},
				}},
			}, {
				Name: "skips itself", Rule: "whole or gone", Keyword: "Scenario", Line: 26, Outline: 26,
				Status: Skipped, Problem: "it skipped itself", Started: started, Elapsed: ms(250),
				Steps: []Step{given, {Keyword: "When", Text: "it skips", Line: 27, Status: Skipped, Problem: "skipped"}},
			}, {
				Name: "in a group", Keyword: "Scenario", Line: 31, Outline: 31, Tags: []string{"@not-localstack:has-no-placement-groups"},
				Status: LeftOut, Problem: "not on localstack: has-no-placement-groups",
				Steps: []Step{{Keyword: "When", Text: "it works", Line: 32, Status: NotRun}},
			}},
		}, {
			File: "f/other.feature", Name: "Other", Line: 1,
			Scenarios: []Scenario{{
				Name: "leaves something behind", Keyword: "Scenario", Line: 2, Outline: 2,
				Status: Failed, Problem: "2 instances left", Started: started, Elapsed: ms(250),
				Steps: []Step{{Keyword: "When", Text: "it works", Line: 3, Status: Passed, Elapsed: ms(100)}},
			}},
		}},
		Filtered: 1,
	}
	s.Count()
	return s
}

// wellOn is the same run on another backend, where everything passes.
func wellOn(name string) Summary {
	s := sample()
	s.Backend = Backend{Name: name, URL: "http://127.0.0.1:2", Why: "asked for"}
	for i := range s.Features {
		for j := range s.Features[i].Scenarios {
			sc := &s.Features[i].Scenarios[j]
			sc.Status, sc.Problem, sc.Log = Passed, "", nil
			for k := range sc.Steps {
				sc.Steps[k].Status, sc.Steps[k].Problem = Passed, ""
			}
		}
	}
	s.Count()
	return s
}

// hostile puts text into every place that a program, a user or a backend fills.
func hostile(text string) Summary {
	s := sample()
	s.Name, s.Version, s.Tags = text, text, text
	s.Backend = Backend{text, text, text, text, text, ""}
	for i := range s.Features {
		f := &s.Features[i]
		f.File, f.Name, f.Description, f.Tags = text+".feature", text, text, []string{text}
		for j := range f.Scenarios {
			sc := &f.Scenarios[j]
			sc.Name, sc.Rule, sc.Description, sc.Problem, sc.Log, sc.Tags = text, text, text, text, []string{text}, []string{text}
			for k := range sc.Steps {
				st := &sc.Steps[k]
				st.Text, st.Problem, st.DocString, st.MediaType, st.Table = text, text, text, text, [][]string{{text}}
			}
			for k := range sc.Runs {
				r := &sc.Runs[k]
				r.Command, r.Stderr, r.Mode = text, []string{text}, text
				for n := range r.Nodes {
					r.Nodes[n] = Node{text, text, text, text, text, text, text}
				}
				for n := range r.Calls {
					c := &r.Calls[n]
					c.Action, c.Detail, c.Code, c.Rule, c.Instances = text, text, text, text, []string{text}
				}
			}
		}
	}
	return s
}
