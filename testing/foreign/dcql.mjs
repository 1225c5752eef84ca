// Evaluates queries over credentials with `dcql`, which knows nothing of ours.
// Reads [{query, credentials}] on standard input; writes for each {ok, satisfied, matches: {id: [credential]}, shows: {id: [claim]}}
// or {ok: false, error}: by their places, which credentials answer a query, and which claims are shown of the first.
import { readFileSync } from 'node:fs';
import { DcqlQuery } from 'dcql';

function evaluate({ query, credentials }) {
  try {
    const parsed = DcqlQuery.parse(query);
    DcqlQuery.validate(parsed);
    const result = DcqlQuery.query(parsed, credentials);
    const matches = {};
    const shows = {};
    for (const [id, match] of Object.entries(result.credential_matches)) {
      const valid = match.valid_credentials ?? [];
      matches[id] = valid.map((one) => one.input_credential_index);
      const shown = valid[0]?.claims.valid_claim_sets[0].valid_claim_indexes ?? [];
      shows[id] = shown.toSorted((one, other) => one - other);
    }
    return { ok: true, satisfied: result.can_be_satisfied, matches, shows };
  } catch (error) {
    return { ok: false, error: String(error?.message ?? error) };
  }
}

const cases = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(cases.map(evaluate)));
