package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/control"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/exchange"
	"github.com/datong-dx/datong/internal/quarantine"
)

// errEnough ends a listing that has shown as much as was asked for.
var errEnough = errors.New("enough")

const defaultShown = 20

func (a *app) quarantineShow() *cobra.Command {
	var f selectionFlags
	var asJSON, reveal bool
	var limit int
	cmd := &cobra.Command{
		Use:   "show DIR",
		Short: a.say("逐行显示原始值和全部原因", "Show the rows with their values and all their reasons"),
		Long: a.say(`逐行显示。数据字典列为个人信息的列，以及没有映射读取的列，显示为 ***；--reveal 显示原值，并留下审计记录。`,
			`Show row after row. Columns that the dictionary calls personal, and those that no mapping reads, are shown as ***;
--reveal shows them and leaves an audit record.`),
		Example: "  datong quarantine show my-exchange --rule crosswalk --limit 5",
		Args:    a.args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sel, err := a.selection(cmd, &f)
			if err != nil {
				return err
			}
			return a.with(cmd, args[0], func(ctx context.Context, s control.Service) error {
				if reveal {
					if err := a.audited(ctx, s, exchange.AuditEntry{Action: "reveal", Selection: sel}); err != nil {
						return err
					}
				}
				return a.showItems(ctx, s, sel, shown{limit: limit, reveal: reveal, asJSON: asJSON})
			})
		},
	}
	a.selectionFlags(cmd, &f)
	cmd.Flags().IntVar(&limit, "limit", defaultShown, a.say("至多显示的行数，0 不限", "rows to show at most, 0 for all"))
	cmd.Flags().BoolVar(&reveal, "reveal", false, a.say("显示个人信息（留有审计记录）", "show personal data (leaves an audit record)"))
	a.jsonFlag(cmd, &asJSON)
	return cmd
}

// shown is how items are to be shown.
type shown struct {
	limit          int
	reveal, asJSON bool
}

func (a *app) showItems(ctx context.Context, s control.Service, sel exchange.Selection, how shown) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	n := 0
	err := s.Each(ctx, sel, func(w exchange.Waiting) error {
		if how.limit > 0 && n == how.limit {
			return errEnough
		}
		n++
		w.Mask(how.reveal)
		switch {
		case how.asJSON:
			return enc.Encode(w)
		case w.Row != nil:
			a.showRow(w.Row)
		default:
			a.showRecord(w.Record)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		if !how.asJSON {
			fmt.Fprint(a.stdout, a.sayf("只显示了前 %d 行，--limit 0 显示全部\n", "only the first %d are shown; --limit 0 shows all\n", how.limit))
		}
		return nil
	}
	if err == nil && n == 0 && !how.asJSON {
		fmt.Fprintln(a.stdout, a.say("没有被拒的行", "nothing waits"))
	}
	return err
}

func (a *app) showRow(it *quarantine.Item) {
	fmt.Fprintf(a.stdout, "%s/%s %s  %s  %s\n", it.Department, it.Pipeline, it.Entity, it.Place(), it.RefusedAt.In(connectors.ChinaStandardTime).Format("2006-01-02 15:04:05"))
	for _, v := range it.Violations {
		fmt.Fprintf(a.stdout, "  ✗ %s\n", v.Text(a.lang))
	}
	for _, c := range it.Columns {
		value := a.say("（空）", "(null)")
		if c.Value != nil {
			value = *c.Value
		}
		fmt.Fprintf(a.stdout, "    %s = %s\n", c.Name, value)
	}
	if len(it.Raw) > 0 {
		fmt.Fprintf(a.stdout, "    %s %s\n", a.say("原始内容：", "as it was read:"), rawText(it.Raw))
	}
	fmt.Fprintln(a.stdout)
}

// rawText shows on one line what could not be split, the beginning of it when it is long.
func rawText(raw []byte) string {
	const most = 500
	cut := ""
	if len(raw) > most {
		raw, cut = raw[:most], " …"
	}
	text := strings.ToValidUTF8(string(raw), "\uFFFD")
	return strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text) + cut
}

func (a *app) showRecord(it *delivery.Item) {
	fmt.Fprintf(a.stdout, "%s  %s  %s[%d]@%d  %s\n", it.Delivery, it.Entity, it.Topic, it.Partition, it.Offset, it.Time.In(connectors.ChinaStandardTime).Format("2006-01-02 15:04:05"))
	fmt.Fprintf(a.stdout, "  ✗ %s\n", it.Reason)
	if len(it.Record) > 0 {
		fmt.Fprintf(a.stdout, "    %s\n", it.Record)
	}
	fmt.Fprintln(a.stdout)
}
