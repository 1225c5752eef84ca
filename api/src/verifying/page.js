// Asks the wallet behind the browser, if there is one, and hands its answer to whoever asked. The link beside it stays.
'use strict';

const PROTOCOL = 'openid4vp-v1-signed';
const ask = document.getElementById('ask');
const said = document.getElementById('said');

function canAsk() {
  if (!ask || !navigator.credentials || typeof DigitalCredential === 'undefined') return false;
  const allows = DigitalCredential.userAgentAllowsProtocol;
  return typeof allows !== 'function' || allows.call(DigitalCredential, PROTOCOL);
}

async function handOver({ protocol, data }) {
  const answer = await fetch('digital-credential', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ protocol, data }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  if (data.error) throw new Error(said.dataset.none);
  return body.redirect_uri;
}

async function verify() {
  ask.disabled = true;
  try {
    const requests = [JSON.parse(ask.dataset.request)];
    const next = await handOver(await navigator.credentials.get({ mediation: 'required', digital: { requests } }));
    said.textContent = said.dataset.done;
    if (next) window.location.assign(next);
  } catch (error) {
    said.textContent = `${said.dataset.refused} ${error.message}`;
    ask.disabled = false;
  }
}

if (canAsk()) {
  ask.hidden = false;
  ask.addEventListener('click', verify);
}
