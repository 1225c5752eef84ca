// Reads, or makes, an ISO mdoc with @auth0/mdl, which knows nothing of ours. Reads on standard input either
// {response, transcript, anchors} (a device response, the bytes of its session transcript, DER certificates; all in
// base64) and writes {ok, failed, elements, error?}: the checks that failed, and the elements; or {issue: {doc_type,
// elements, issuer, certificate, device, transcript, shown}} and writes {ok, response, error?}: a response of its own.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DeviceResponse, Document, MDoc } from '@auth0/mdl';
import { checkMdoc } from './checks.mjs';

const input = JSON.parse(readFileSync(0, 'utf8'));
const bytes = (text) => Buffer.from(text, 'base64');
const pem = (der) => new X509Certificate(bytes(der)).toString();

async function verify(asked) {
  const { failed, elements } = await checkMdoc(asked);
  return { ok: failed.length === 0, failed, elements };
}

async function issue({ doc_type, elements, issuer, certificate, device, transcript, shown }) {
  const { d, ...devicePublic } = device;
  const document = await new Document(doc_type)
    .addIssuerNameSpace(doc_type, elements)
    .useDigestAlgorithm('SHA-256')
    .addValidityInfo({ signed: new Date() })
    .addDeviceKeyInfo({ deviceKey: devicePublic })
    .sign({ issuerPrivateKey: issuer, issuerCertificate: pem(certificate), alg: 'ES256' });
  const path = (name) => ({ path: [`$['${doc_type}']['${name}']`], intent_to_retain: false });
  const definition = {
    id: 'asked',
    input_descriptors: [
      {
        id: doc_type,
        format: { mso_mdoc: { alg: ['ES256'] } },
        constraints: { limit_disclosure: 'required', fields: shown.map(path) },
      },
    ],
  };
  const response = await DeviceResponse.from(new MDoc([document]).encode())
    .usingPresentationDefinition(definition)
    .usingSessionTranscriptBytes(bytes(transcript))
    .authenticateWithSignature(device, 'ES256')
    .sign();
  return { ok: true, response: Buffer.from(response.encode()).toString('base64') };
}

try {
  const result = await (input.issue ? issue(input.issue) : verify(input));
  process.stdout.write(JSON.stringify(result));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, error: String(error?.message ?? error) }));
}
