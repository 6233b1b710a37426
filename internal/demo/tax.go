package demo

import "fmt"

// taxSheet is the tax bureau's table of taxpayers. It has no change time.
var taxSheet = &sheet{name: "DJ_NSRXX", columns: []string{
	"DJXH", "NSRSBH", "NSRMC", "DJZCLX_DM", "FDDBRXM", "ZCZB", "KYSLRQ", "NSRZT_DM", "PZSLJG_DM", "SCJYDZ",
	"XZQHSZ_DM", "HY_DM", "LXDH",
}}

// taxRow is the firm as tax keeps it: capital in 元, dates with slashes, divisions of 12 digits, industries without
// their letter.
func (f *firm) taxRow() row {
	return taxSheet.newRow(
		f.taxNumber(), f.code, f.name, f.form.tax, f.person, fmt.Sprintf("%d.00", f.yuan),
		f.founded.Format("2006/1/2")+" 0:00:00", f.status.tax, f.place.region, f.address(),
		f.place.region+"000000", f.industry.digits, f.phone)
}

// taxNumber is the key of the firm's row in the tax bureau's table.
func (f *firm) taxNumber() string { return fmt.Sprintf("1001403%013d", f.number) }
