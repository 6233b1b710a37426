package dictionary

// resolveAll makes an element of every draft of a new entity. Those of an extension are made over the built-in ones later.
func (l *loader) resolveAll() {
	for _, d := range l.drafts {
		for _, draft := range d.elements {
			if d.extends == "" {
				l.resolve(d, draft)
			}
		}
	}
}

// resolve makes the element of a draft, or nil when that was a problem. Like the one it is the same as, it has a title, a
// type and all that makes up a value; obligation, conditions and order in time belong to the entity and are not taken over.
func (l *loader) resolve(d *entityDraft, draft *elementDraft) *Element {
	if draft.state != unresolved {
		return draft.element
	}
	el := &Element{Obligation: Optional, Sensitivity: d.sensitivity, Standard: d.Standard, Clause: d.Clause}
	if entity, element, ok := d.sameAs(draft); ok {
		draft.state = resolving
		like := l.like(draft, entity, element)
		draft.state = resolved
		if like == nil {
			return nil
		}
		*el = *like
		el.Obligation, el.RequiredWhen, el.NotBefore = Optional, nil, ""
	}
	el.Name, el.at = draft.name, draft.at
	given := d.read(el, draft)
	if given["standard"] && !given["clause"] {
		el.Clause = ""
	}
	draft.element, draft.state = el, resolved
	return el
}

// like returns the element that a draft is the same as: one of this directory or of the base.
func (l *loader) like(draft *elementDraft, entity, element string) *Element {
	for _, d := range l.drafts {
		for _, other := range d.elements {
			if d.Name != entity || other.name != element {
				continue
			}
			if other.state == resolving {
				l.add(draft.at, noTry, "same_as 形成循环", "same_as goes in a circle")
			}
			return l.resolve(d, other)
		}
	}
	if e := l.entities[entity]; e != nil && e.Element(element) != nil {
		return e.Element(element)
	}
	l.add(draft.at, noTry, "same_as 指向的 %s.%s 不存在", "same_as names %s.%s, which does not exist", entity, element)
	return nil
}
