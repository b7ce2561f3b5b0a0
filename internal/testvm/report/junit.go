package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// The elements of a JUnit file, as far as CI systems read them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property,omitempty"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
		Skipped *junitMessage `xml:"skipped"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the results as JUnit XML: a suite for each package on each kernel. What failed beside tests is an error of a case in
// parentheses.
func (m *Matrix) WriteJUnit(to io.Writer) error {
	var all junitSuites
	for i := range m.Columns {
		c := &m.Columns[i]
		if len(c.Problems) > 0 {
			suite := junitSuite{Name: c.Line, Time: "0"}
			suite.addProblems(c.Line, "(machine)", c.Problems)
			all.add(suite)
		}
		for _, r := range c.Results {
			all.add(c.suite(&r))
		}
	}
	suite := junitSuite{Name: "accounting", Time: "0"}
	for _, err := range m.Missing() {
		suite.addProblems("accounting", "(not run)", []Problem{{Kind: Start, Text: err.Error()}})
	}
	for _, f := range m.Account() {
		suite.add(junitCase{Class: "accounting", Name: f.Package + " " + f.Test, Time: "0", Failure: &junitMessage{Message: f.Text}})
	}
	if len(suite.Cases) > 0 {
		all.add(suite)
	}
	if _, err := io.WriteString(to, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(to)
	encoder.Indent("", " ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(to, "\n")
	return err
}

// suite is one package on one kernel.
func (c *Column) suite(r *Result) junitSuite {
	suite := junitSuite{Name: c.Line + " " + r.Package, Time: seconds(r.Took)}
	suite.Properties = []junitProperty{{"kernel", c.Release}}
	class := c.Line + "." + r.Package
	suite.addProblems(class, "(package)", r.Problems)
	for _, t := range r.Tests {
		one := junitCase{Class: class, Name: t.Name, Time: seconds(t.Took)}
		switch t.Status {
		case Fail:
			one.Failure = &junitMessage{Message: t.Reason, Text: t.Output}
		case Skip:
			one.Skipped = &junitMessage{Message: t.Reason}
		}
		suite.add(one)
	}
	return suite
}

func (s *junitSuite) addProblems(class, name string, problems []Problem) {
	for _, p := range problems {
		s.add(junitCase{Class: class, Name: name, Time: "0", Error: &junitMessage{Message: p.Text, Type: string(p.Kind), Text: p.Words}})
	}
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func (s *junitSuites) add(suite junitSuite) {
	s.Suites = append(s.Suites, suite)
	s.Tests += suite.Tests
	s.Failures += suite.Failures
	s.Errors += suite.Errors
	s.Skipped += suite.Skipped
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
