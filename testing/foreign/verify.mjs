// Verifies a credential or presentation with @sd-jwt/sd-jwt-vc and jose, which know nothing of ours (`checks.mjs`).
// Reads {sd_jwt, issuer_jwk?, anchors?, audience?, nonce?, transaction_data?} on standard input; without
// issuer_jwk the key is resolved from the issuer's metadata, and a status list is fetched where the credential says.
// Writes {ok, payload?, key_binding?, error?} on standard output.
import { readFileSync } from 'node:fs';
import { checkSdJwt } from './checks.mjs';

try {
  const seen = await checkSdJwt(JSON.parse(readFileSync(0, 'utf8')));
  process.stdout.write(JSON.stringify({ ok: true, ...seen }));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error) }));
}
