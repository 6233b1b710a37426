package demo

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/sqldb"
)

// Platform is the unified platform's database, as its developers query it.
type Platform struct{ db *sqlx.DB }

// OpenPlatform opens the database that the exchange in dir has filled, to read it.
func OpenPlatform(dir string) (*Platform, error) {
	db, _, err := sqldb.OpenReadOnly("sqlite:"+filepath.Join(dir, "platform.db"), 1, time.Minute)
	if err != nil {
		return nil, err
	}
	return &Platform{db}, nil
}

// Close closes the database.
func (p *Platform) Close() error { return p.db.Close() }

// Rows counts a department's records of an entity, which is one of [Town.Standing].
func (p *Platform) Rows(ctx context.Context, department, entity string) (n int, err error) {
	if err := p.db.GetContext(ctx, &n, "SELECT count(*) FROM "+entity+" WHERE department = ?", department); err != nil {
		return 0, fmt.Errorf("count %s of %s on the platform: %w", entity, department, err)
	}
	return n, nil
}

// Enterprise returns what the platform has of an enterprise from one department, by element.
func (p *Platform) Enterprise(ctx context.Context, department, code string) (map[string]string, error) {
	found := map[string]any{}
	row := p.db.QueryRowxContext(ctx, "SELECT * FROM legal_entity WHERE department = ? AND uscc = ?", department, code)
	if err := row.MapScan(found); err != nil {
		return nil, fmt.Errorf("look an enterprise of %s up on the platform: %w", department, err)
	}
	values := map[string]string{}
	for name, v := range found {
		if text, ok := v.(string); ok {
			values[name] = text
		}
	}
	return values, nil
}

// CaseRecord is one case of an enterprise, put together from the three entities of the approval bureau's cases. A stage that
// has not been reached is the zero time.
type CaseRecord struct {
	Number     string
	Item       string
	Applied    time.Time
	Accepted   time.Time
	Concluded  time.Time
	Conclusion string // code of case_conclusion, empty while the case is open
}

// Cases returns the cases of an enterprise, the oldest first.
func (p *Platform) Cases(ctx context.Context, code string) ([]CaseRecord, error) {
	rows, err := p.db.QueryContext(ctx, `
		SELECT a.case_no, a.item_name, a.applied_at, coalesce(s.accepted_at, ''), coalesce(r.concluded_at, ''), coalesce(r.conclusion, '')
		FROM case_application a
			LEFT JOIN case_acceptance s USING (department, case_no)
			LEFT JOIN case_result r USING (department, case_no)
		WHERE EXISTS (SELECT 1 FROM json_each(a.applicant_doc_no) WHERE value = ?)
		ORDER BY a.applied_at, a.case_no`, code)
	if err != nil {
		return nil, fmt.Errorf("look cases up on the platform: %w", err)
	}
	defer rows.Close()
	var list []CaseRecord
	for rows.Next() {
		var c CaseRecord
		var times [3]string
		if err := rows.Scan(&c.Number, &c.Item, &times[0], &times[1], &times[2], &c.Conclusion); err != nil {
			return nil, fmt.Errorf("read a case of the platform: %w", err)
		}
		c.Applied, c.Accepted, c.Concluded = moment(times[0]), moment(times[1]), moment(times[2])
		list = append(list, c)
	}
	return list, rows.Err()
}

// moment reads a time of the platform; the zero time for what is none.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.In(connectors.ChinaStandardTime)
}

// Question is what nobody could ask before the departments' records met under one code.
type Question struct {
	Text connectors.Text
	SQL  string
}

// Questions are asked of the platform at the end of the demonstration.
var Questions = []Question{
	{
		connectors.Text{Zh: "同一企业，市场监管局与税务局的名称不同", En: "enterprises that market regulation and tax know by different names"},
		`SELECT count(*) FROM legal_entity m JOIN legal_entity t USING (uscc)
WHERE m.department = 'market-regulation' AND t.department = 'tax' AND m.org_name <> t.org_name`,
	},
	{
		connectors.Text{Zh: "市场监管局已注销，税务局仍按存续管理", En: "enterprises that market regulation has deregistered and tax takes for active"},
		`SELECT count(*) FROM legal_entity m JOIN legal_entity t USING (uscc)
WHERE m.department = 'market-regulation' AND t.department = 'tax' AND m.reg_status = '3' AND t.reg_status = '1'`,
	},
	{
		connectors.Text{Zh: "已注销的企业，审批局还有未办结的申请", En: "cases still open at the approval bureau for enterprises that are deregistered"},
		`SELECT count(*) FROM case_application a JOIN legal_entity m ON m.uscc = a.applicant_doc_no ->> '$[0]'
WHERE m.department = 'market-regulation' AND m.reg_status = '3'
  AND NOT EXISTS (SELECT 1 FROM case_result r WHERE r.department = a.department AND r.case_no = a.case_no)`,
	},
}

// Ask answers a question.
func (p *Platform) Ask(ctx context.Context, q Question) (n int, err error) {
	if err := p.db.GetContext(ctx, &n, q.SQL); err != nil {
		return 0, fmt.Errorf("ask the platform a question: %w", err)
	}
	return n, nil
}
