"""One step of a wallet of nutshell (package `cashu`), as it comes from its registry: JSON in, JSON out."""

import asyncio
import contextlib
import json
import os
import sys

step = json.load(sys.stdin)
# Nothing of it outside the test's folder.
os.environ.update(CASHU_DIR=step["folder"], MINT_URL=step["mint"], TOR="FALSE", DEBUG="FALSE")

from cashu.core.helpers import sum_proofs  # noqa: E402
from cashu.wallet import helpers  # noqa: E402
from cashu.wallet.wallet import Wallet  # noqa: E402


async def opened():
    wallet = await Wallet.with_db(step["mint"], step["folder"], unit=step["unit"])
    await wallet.load_mint()
    await wallet.load_proofs()
    return wallet


async def quote(wallet):
    asked = await wallet.request_mint(step["amount"])
    return {"quote": asked.quote, "request": asked.request, "state": asked.state.value}


async def quote_state(wallet):
    return {"state": (await wallet.get_mint_quote(step["quote"])).state.value}


async def mint(wallet):
    return {"amount": sum_proofs(await wallet.mint(step["amount"], step["quote"]))}


async def send(wallet):
    _, token = await helpers.send(wallet, amount=step["amount"], lock=step.get("lock", ""), legacy=False)
    return {"token": token}


async def receive(wallet):
    await helpers.receive(wallet, helpers.deserialize_token_from_string(step["token"]))
    return {}


async def key(wallet):
    return {"key": await wallet.create_p2pk_pubkey()}


async def melt(wallet):
    asked = await wallet.melt_quote(step["invoice"])
    total = asked.amount + asked.fee_reserve
    proofs, _ = await wallet.select_to_send(wallet.proofs, total, include_fees=True)
    paid = await wallet.melt(proofs, step["invoice"], asked.fee_reserve, asked.quote)
    return {"state": paid.state, "preimage": paid.payment_preimage, "amount": asked.amount}


async def nothing(_):
    return {}


async def restore(wallet):
    await wallet.restore_wallet_from_mnemonic(step["words"], to=1, batch=25)
    await wallet.load_proofs(reload=True)
    return {}


async def restored():
    # A wallet without a seed yet: it gets that of the words.
    wallet = Wallet(step["mint"], step["folder"], unit=step["unit"])
    await wallet._migrate_database()
    return wallet


STEPS = {
    "balance": nothing, "quote": quote, "quote_state": quote_state, "mint": mint, "send": send,
    "receive": receive, "key": key, "melt": melt, "restore": restore,
}


async def main():
    wallet = await (restored() if step["step"] == "restore" else opened())
    answer = await STEPS[step["step"]](wallet)
    await wallet.load_proofs(reload=True)
    return {"ok": True, "words": wallet.mnemonic, "balance": wallet.available_balance.amount, **answer}


# What it prints on the way is for people.
with contextlib.redirect_stdout(sys.stderr):
    try:
        said = asyncio.run(main())
    except Exception as error:  # whatever it is, the test is told
        said = {"ok": False, "error": f"{type(error).__name__}: {error}"}
json.dump(said, sys.stdout)
