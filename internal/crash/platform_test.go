//go:build services

package crash

import (
	"testing"
)

// platform is the unified platform's database. Triggers note every change of its table and who made it, and a constraint
// refuses some rows.
type platform struct{ *database }

// watched makes the triggers as soon as the delivery has made its table.
const watched = `
CREATE TABLE audit (
	seq bigserial PRIMARY KEY, session text NOT NULL DEFAULT current_setting('application_name'),
	department text, permit_no text, version bigint -- null: deleted
);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO audit (department, permit_no) VALUES (OLD.department, OLD.permit_no);
	ELSE
		INSERT INTO audit (department, permit_no, version) VALUES (NEW.department, NEW.permit_no, NEW.version);
	END IF;
	RETURN NULL;
END $$;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	IF to_regclass('public.permit') IS NOT NULL
		AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass('public.permit') AND tgname = 'noted') THEN
		CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON public.permit FOR EACH ROW EXECUTE FUNCTION note_change();
		ALTER TABLE public.permit ADD CONSTRAINT not_rejected CHECK (holder NOT LIKE 'rejected%');
	END IF;
END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION watch();`

func newPlatform(t testing.TB, server string) *platform {
	t.Helper()
	p := &platform{newDatabase(t, server)}
	p.exec(t, watched)
	return p
}

// rows returns what the platform shows, in the form of [silo.expected].
func (p *platform) rows(t testing.TB) []string {
	t.Helper()
	return p.texts(t, `SELECT concat_ws('|', department, permit_no, holder, amount::numeric(14,2), issued, version, note) FROM permit`)
}

// steppedBack returns the changes by which a permit got a state that was not newer than one it had had: what a delivery
// applied twice, or out of order.
func (p *platform) steppedBack(t testing.TB) []string {
	t.Helper()
	return p.texts(t, `
		SELECT department || ' ' || permit_no || ': version ' || version || ' after ' || before || ' by ' || session FROM (
			SELECT *, max(version) OVER (PARTITION BY department, permit_no ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
			FROM audit
		) a WHERE version <= before LIMIT 20`)
}

// noted returns how many changes sessions of a name have made.
func (p *platform) noted(t testing.TB, session string) int {
	t.Helper()
	return p.count(t, `SELECT count(*) FROM audit WHERE session = $1`, session)
}
