package demo

// Element is one thing that two departments say of one enterprise, each in its own column and its own way.
type Element struct {
	Name    string // of the dictionary's legal_entity
	Written []Written
}

// Written is a value as a department's system holds it.
type Written struct{ Department, Column, Value string }

// compared are the elements shown side by side, with the columns that they come from. Names of people are left out.
var compared = []struct{ element, register, tax string }{
	{"uscc", "TYSHXYDM", "NSRSBH"},
	{"org_name", "QYMC", "NSRMC"},
	{"ent_type", "QYLX", "DJZCLX_DM"},
	{"reg_capital", "ZCZB", "ZCZB"},
	{"est_date", "CLRQ", "KYSLRQ"},
	{"reg_status", "YWZT", "NSRZT_DM"},
	{"region_code", "XZQH", "XZQHSZ_DM"},
	{"industry_code", "HYDM", "HY_DM"},
}

// Followed returns the code of the enterprise that the demonstration follows, and how market regulation and tax write what
// they know of it.
func (t *Town) Followed() (code string, elements []Element) {
	register, tax := t.firms[0].registerRow(opUpdate), t.taxpayers[0].taxRow()
	for _, c := range compared {
		elements = append(elements, Element{c.element, []Written{
			{Register, c.register, register.get(c.register)},
			{Tax, c.tax, tax.get(c.tax)},
		}})
	}
	return t.firms[0].code, elements
}
