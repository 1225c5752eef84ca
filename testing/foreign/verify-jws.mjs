// Verifies a signed document with jose: the key is jwk, or the leaf of certificate (base64 DER), or of its own x5c.
// Reads {jws, typ, jwk?, certificate?} on standard input, writes {ok, payload?, leaf?, leaf_hash?, error?} on standard output;
// leaf_hash is the SHA-256 of the leaf certificate in base64url (OpenID4VP 1.0, x509_hash).
import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';

const input = JSON.parse(readFileSync(0, 'utf8'));

try {
  const leaf = input.certificate ?? decodeProtectedHeader(input.jws).x5c?.[0];
  const der = leaf && Buffer.from(leaf, 'base64');
  const key = input.jwk ? await importJWK(input.jwk, 'ES256') : new X509Certificate(der).publicKey;
  const options = { algorithms: ['ES256'] };
  const { payload, protectedHeader } = await compactVerify(input.jws, key, options);
  if (protectedHeader.typ !== input.typ) throw new Error(`typ is ${protectedHeader.typ}`);
  const leaf_hash = der && createHash('sha256').update(der).digest('base64url');
  const document = JSON.parse(Buffer.from(payload).toString());
  process.stdout.write(JSON.stringify({ ok: true, payload: document, leaf, leaf_hash }));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error) }));
}
