package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/datong-dx/datong/internal/demo"
)

// introduce says what is about to be seen.
func (d *demonstration) introduce() {
	if d.asJSON {
		return
	}
	n := d.standing()
	fmt.Fprint(d.stdout, d.sayf(`打通演示：一座虚构的城市，三个部门，约 %[1]s 行数据

  市场监管局   GB 18030 的 CSV 文件         TYSHXYDM  500.00（万元）    20180401           存续   I6513
  税务局       SQLite，无变更时间，靠比对   NSRSBH    5000000.00（元）  2018/4/1 0:00:00   03     6513
  行政审批局   SQLite，拼音列名             SQRZJHM   办件类型 1 是承诺件、2 是即办件，与国家标准正好相反

  各部门的系统 ──▶ 标准数据字典 ──▶ Kafka（本进程内） ──▶ 统一平台（SQLite）

`, `Datong, demonstrated: an invented city, three departments, about %[1]s rows

  market regulation   GB 18030 CSV files                 TYSHXYDM  500.00 (万元)    20180401           存续   I6513
  tax                 SQLite, no change time, compared   NSRSBH    5000000.00 (元)  2018/4/1 0:00:00   03     6513
  approval bureau     SQLite, pinyin columns             SQRZJHM   its case types 1 and 2 are the standard's 2 and 1

  departments' systems ──▶ standard data dictionary ──▶ Kafka (in this process) ──▶ unified platform (SQLite)

`, thousands(n)))
}

// report tells what came of it. The error says what does not add up.
func (d *demonstration) report(ctx context.Context, out *outcome) error {
	if d.asJSON {
		if err := d.printJSON(out); err != nil {
			return err
		}
		return out.verdict()
	}
	platform, err := demo.OpenPlatform(d.dir)
	if err != nil {
		return err
	}
	defer platform.Close() // it was only read
	if err := d.tellEnterprise(ctx, platform); err != nil {
		return err
	}
	if err := d.tellQuestions(ctx, platform); err != nil {
		return err
	}
	d.tellRefused(out)
	d.tellArrived(out)
	if err := out.verdict(); err != nil {
		return err
	}
	d.tellNext()
	return nil
}

func (d *demonstration) heading(zh, en string, args ...any) {
	fmt.Fprintf(d.stdout, "\n── %s\n\n", d.sayf(zh, en, args...))
}

// tellEnterprise shows one enterprise as two departments write it and as it stands on the platform, and its cases.
func (d *demonstration) tellEnterprise(ctx context.Context, platform *demo.Platform) error {
	code, elements := d.town.Followed()
	d.heading("平台对一家企业的了解：%s", "What the platform knows of one enterprise: %s", code)
	records := map[string]map[string]string{}
	for _, department := range []string{demo.Register, demo.Tax} {
		record, err := platform.Enterprise(ctx, department, code)
		if err != nil {
			return err
		}
		records[department] = record
	}
	var rows [][]string
	for _, e := range elements {
		rows = append(rows, d.elementRows(e, records)...)
	}
	d.table([]string{
		d.say("数据元", "element"), d.say("部门", "department"), d.say("原列名", "its column"), d.say("原值", "as written there"),
		d.say("平台上的标准值", "on the platform"), "",
	}, rows)
	fmt.Fprintln(d.stdout)
	return d.tellCases(ctx, platform, code)
}

// elementRows are the lines of one element: as each department writes it, and what it became.
func (d *demonstration) elementRows(e demo.Element, records map[string]map[string]string) [][]string {
	element := d.cfg.Dictionary.Entity("legal_entity").Element(e.Name)
	var rows [][]string
	for i, w := range e.Written {
		title, mark := "", ""
		if i == 0 {
			title = d.say(element.Title.Zh, element.Title.En)
		} else if records[w.Department][e.Name] != records[e.Written[0].Department][e.Name] {
			mark = d.say("◀ 两部门不一致", "◀ they disagree")
		}
		standard := records[w.Department][e.Name]
		if element.Unit != "" {
			standard += " " + element.Unit
		}
		if element.CodeSet != "" {
			standard += " " + d.codeTitle(element.CodeSet, standard)
		}
		rows = append(rows, []string{title, d.department(w.Department), w.Column, w.Value, standard, mark})
	}
	return rows
}

func (d *demonstration) codeTitle(set, code string) string {
	title, _ := d.cfg.Dictionary.CodeSet(set).TitleOf(code)
	return title.In(d.lang)
}

// tellCases lists what the enterprise has applied for.
func (d *demonstration) tellCases(ctx context.Context, platform *demo.Platform, code string) error {
	cases, err := platform.Cases(ctx, code)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, c := range cases {
		rows = append(rows, []string{c.Number, c.Item, date(c.Applied), date(c.Accepted), date(c.Concluded), d.codeTitle("case_conclusion", c.Conclusion)})
	}
	d.table([]string{
		d.say("行政审批局的办件", "its cases at the approval bureau"), d.say("事项", "item"), d.say("申请", "applied"), d.say("受理", "accepted"),
		d.say("办结", "concluded"), d.say("结果", "conclusion"),
	}, rows)
	return nil
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02 15:04")
}

// tellQuestions answers what could not be asked before.
func (d *demonstration) tellQuestions(ctx context.Context, platform *demo.Platform) error {
	d.heading("以前没法问的问题，现在是一条 SQL", "What nobody could ask before is one SQL statement now")
	for _, q := range demo.Questions {
		n, err := platform.Ask(ctx, q)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.stdout, "  %6s  %s\n", thousands(n), q.Text.In(d.lang))
	}
	return nil
}

// tellRefused says why rows wait in quarantine, with where an example lies and what its value looks like.
func (d *demonstration) tellRefused(out *outcome) {
	d.heading("%[1]s 行不合标准，在隔离区等待改正；没有发布，也没有丢失", "%[1]s rows do not conform: they wait in quarantine, not published and not lost", thousands(out.Total.Waiting))
	department := ""
	for i := range out.Refused {
		r := &out.Refused[i]
		if r.Department != department {
			department = r.Department
			fmt.Fprintln(d.stdout, " "+d.department(department))
		}
		reason, _, _ := strings.Cut(d.say(r.Zh, r.En), d.say("；可尝试", "; try"))
		fmt.Fprintf(d.stdout, "  %4s  %s\n", thousands(r.Rows), reason)
		fmt.Fprintf(d.stdout, "        %s\n", d.exampleOf(r))
	}
	fmt.Fprint(d.stdout, d.sayf("\n  另有 %s 行写法不规范（全角、小写、空格、连字符），已自动规范；%s 行经部门改正后自动放行。\n",
		"\n  %s more rows came oddly written (full-width, lower case, spaces, hyphens) and were put right; %s rows were let in once\n  their department had corrected them.\n",
		thousands(out.Repaired), thousands(out.Total.Superseded)))
}

// exampleOf says where one of the refused rows lies, the shape of its value, which tells no content, and what went wrong
// in the department.
func (d *demonstration) exampleOf(r *refusal) string {
	text := d.say("例如 ", "for example ") + filepath.Base(r.example)
	if r.shape != "" {
		text += d.say("，值的形状 ", ", a value of the shape ") + r.shape
	}
	return text + d.say("；错在：", "; what went wrong: ") + r.mistake.In(d.lang)
}

// tellArrived answers the operator's question: did everything arrive?
func (d *demonstration) tellArrived(out *outcome) {
	d.heading("都到了吗？部门系统里合格的行，与平台上的记录逐项核对", "Did everything arrive? What is right in the departments' systems, beside what the platform holds")
	var rows [][]string
	for _, h := range out.Platform {
		mark := d.say("一致", "equal")
		if h.Rows != h.Expected {
			mark = d.say("不符", "DIFFERENT")
		}
		title := d.cfg.Dictionary.Entity(h.Entity).Title
		rows = append(rows, []string{d.department(h.Department), d.say(title.Zh, title.En), thousands(h.Expected), thousands(h.Rows), mark})
	}
	d.table([]string{d.say("部门", "department"), d.say("标准实体", "standard entity"), d.say("部门系统", "there"), d.say("平台", "on the platform"), ""}, rows)
	t, c := &out.Total, &out.Changes
	fmt.Fprint(d.stdout, d.sayf(`
  读取 %[1]s = 发布 %[2]s + 未变 %[3]s + 过滤 %[4]s + 隔离 %[5]s + 被取代 %[6]s；未交代 %[7]d
  发布的记录 %[8]s 条（删除 %[9]s），送达 %[10]s 条
  首条记录 %.1[11]f 秒到达，首批全部 %.1[12]f 秒；其间部门又新增 %[13]s、变更 %[14]s、删除 %[15]s 行，并停机重启一次
`, `
  read %[1]s = published %[2]s + unchanged %[3]s + filtered %[4]s + quarantined %[5]s + superseded %[6]s; unaccounted for: %[7]d
  %[8]s records published (%[9]s of them deletes), %[10]s delivered
  The first record arrived after %.1[11]f s, all there was at first after %.1[12]f s; then the departments inserted %[13]s,
  updated %[14]s and deleted %[15]s rows, and the exchange was stopped and started again.
`, thousands(t.Read), thousands(t.Published), thousands(t.Unchanged), thousands(t.Filtered), thousands(t.Quarantined), thousands(t.Superseded), t.Unaccounted,
		thousands(t.Records), thousands(t.Deletes), thousands(t.Delivered), out.First, out.Initial,
		thousands(c.Inserts), thousands(c.Updates), thousands(c.Deletes)))
}

// tellNext says what to type now.
func (d *demonstration) tellNext() {
	d.heading("接下来", "What to type next")
	if !d.kept {
		fmt.Fprint(d.stdout, d.sayf(`  这次写在临时目录里，已删除。保留一份自己改：

  %[1]s demo --dir my-demo
`, `  This was in a temporary directory, which is removed. To keep one and change it:

  %[1]s demo --dir my-demo
`, program()))
		return
	}
	fmt.Fprint(d.stdout, d.sayf(`  这个交换目录保留在 %[2]s，全是文本，从 README.md 读起：

  %[1]s status %[2]s                       都到了吗
  %[1]s quarantine list %[2]s              为什么被拒
  echo '清算,9,,,' >> %[2]s/departments/market-regulation/codes/reg_status.csv
  %[1]s test %[2]s                         改了对照表，用例仍应通过
  %[1]s quarantine retry %[2]s --element reg_status    放行
  %[1]s run %[2]s                          继续运行；README.md 里有可改的数据
`, `  The exchange directory is kept in %[2]s. It is all text; begin with README.md:

  %[1]s status %[2]s                       did everything arrive?
  %[1]s quarantine list %[2]s              why rows were refused
  echo '清算,9,,,' >> %[2]s/departments/market-regulation/codes/reg_status.csv
  %[1]s test %[2]s                         the crosswalk has changed: the fixtures must still pass
  %[1]s quarantine retry %[2]s --element reg_status    let the rows in
  %[1]s run %[2]s                          go on; README.md has data to change
`, program(), quoted(d.dir)))
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-", r)
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
