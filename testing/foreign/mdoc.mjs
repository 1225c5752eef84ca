// Reads, or makes, an ISO mdoc with @auth0/mdl, which knows nothing of ours. Reads on standard input either
// {response, transcript, anchors} (a device response, the bytes of its session transcript, DER certificates; all in
// base64) and writes {ok, failed, elements, status, error?}: the checks that failed, the elements, and the place of the status; or {issue: {doc_type,
// elements, issuer, certificate, device, transcript, shown}} and writes {ok, response, error?}: a response of its own.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Document } from '@auth0/mdl';
import { checkMdoc } from './checks.mjs';
import { shown } from './mdoc-parts.mjs';

const input = JSON.parse(readFileSync(0, 'utf8'));
const bytes = (text) => Buffer.from(text, 'base64');
const pem = (der) => new X509Certificate(bytes(der)).toString();

async function verify(asked) {
  const { failed, elements, status } = await checkMdoc(asked);
  return { ok: failed.length === 0, failed, elements, status };
}

async function issue({ doc_type, elements, issuer, certificate, device, transcript, shown: names }) {
  const { d, ...devicePublic } = device;
  const document = await new Document(doc_type)
    .addIssuerNameSpace(doc_type, elements)
    .useDigestAlgorithm('SHA-256')
    .addValidityInfo({ signed: new Date() })
    .addDeviceKeyInfo({ deviceKey: devicePublic })
    .sign({ issuerPrivateKey: issuer, issuerCertificate: pem(certificate), alg: 'ES256' });
  const response = await shown(document, names, device, bytes(transcript));
  return { ok: true, response: response.toString('base64') };
}

try {
  const result = await (input.issue ? issue(input.issue) : verify(input));
  process.stdout.write(JSON.stringify(result));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error) }));
}
