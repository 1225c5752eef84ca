// Reads a status list token with `jose` and `@sd-jwt/jwt-status-list`, which know nothing of ours. Reads {jwt, anchors} (DER in
// base64) on standard input; writes {ok, sub, exp, ttl, bits, size, set: [[index, status]]}, the entries that are not 0, or
// {ok: false, error}.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getListFromStatusListJWT } from '@sd-jwt/jwt-status-list';
import { decodeProtectedHeader, jwtVerify } from 'jose';

const certificate = (der) => new X509Certificate(Buffer.from(der, 'base64'));

async function read({ jwt, anchors }) {
  const leaf = certificate(decodeProtectedHeader(jwt).x5c[0]);
  const roots = anchors.map(certificate);
  if (!roots.some((root) => leaf.checkIssued(root) && leaf.verify(root.publicKey))) {
    throw new Error('no anchor issued the certificate');
  }
  const { payload } = await jwtVerify(jwt, leaf.publicKey, { algorithms: ['ES256'], typ: 'statuslist+jwt' });
  const list = getListFromStatusListJWT(jwt);
  const set = list.statusList.flatMap((status, index) => (status === 0 ? [] : [[index, status]]));
  const { sub, exp, ttl } = payload;
  return { sub, exp, ttl, bits: list.getBitsPerStatus(), size: list.statusList.length, set };
}

try {
  const answer = await read(JSON.parse(readFileSync(0, 'utf8')));
  process.stdout.write(JSON.stringify({ ok: true, ...answer }));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error) }));
}
