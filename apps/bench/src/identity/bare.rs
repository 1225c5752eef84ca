//! The cryptography of a flow by itself: what an issuer or a verifier does who remembers nothing of the flows before.

use crate::stopwatch::{Between, cpu_at_once, number};
use anyhow::Result;
use std::hint::black_box;
use yufu_base::Signer;
use yufu_jose::jwe::{self, ContentEncryption, DecryptionKey, Entropy};
use yufu_jose::{SoftwareKey, sha256};
use yufu_keys::random;

/// As many bytes as a signed request, credential or presentation has, about.
const SIGNED: usize = 2_048;
/// As many disclosures as an identity credential has, about, and as many bytes as each has.
const DISCLOSURES: usize = 20;
const DISCLOSURE: usize = 96;

/// How often somebody's signature is verified when an attested wallet gets a credential: where it authenticates (the
/// pushed request and the token), the provider's word, the proof that goes with it, and the DPoP proof; for the
/// credential a DPoP proof, the wallet's proof, and the provider's word for its key; for the notification a DPoP proof.
const VERIFIED: usize = 10;

/// Processor time of an issuance to an attested wallet, in microseconds: each of those signatures verified, the encrypted
/// request decrypted, each disclosure (or element) hashed with its salt, the credential signed, the answer encrypted.
/// Certificates of providers may be verified once for many; codes, tokens and nonces are hashed.
pub(super) fn issuance(times: usize, cores: usize) -> Result<Between<'static>> {
    let (issuer, wallet) = (key()?, key()?);
    let proof = [7; 512];
    let signature = wallet.sign(&proof)?;
    let key = DecryptionKey::from_seed(&random())?;
    let public = key.public_jwk("request");
    let parameters = ContentEncryption::A256Gcm.into();
    let sealed = jwe::encrypt(&public, &parameters, &[3; SIGNED], &fresh())?;
    Ok(each(times, cores, move || {
        for _ in 0..VERIFIED {
            yufu_jose::verify(&wallet.public_key(), &proof, &signature)?;
        }
        black_box(jwe::decrypt(&sealed, &key)?);
        signed(&issuer)?;
        black_box(jwe::encrypt(&public, &parameters, &[3; SIGNED], &fresh())?);
        Ok(())
    }))
}

/// Processor time of an issuance with a pre-authorized code, in microseconds: the proof of the wallet's key verified, each
/// disclosure hashed with its salt, the credential signed. The wallet is not authenticated otherwise in this flow.
pub(super) fn preauthorized(times: usize, cores: usize) -> Result<Between<'static>> {
    let (issuer, wallet) = (key()?, key()?);
    let proof = [7; 512];
    let signature = wallet.sign(&proof)?;
    Ok(each(times, cores, move || {
        yufu_jose::verify(&wallet.public_key(), &proof, &signature)?;
        signed(&issuer)?;
        Ok(())
    }))
}

/// Processor time that `work` takes each time, in microseconds: of a slice, done `times` on each of `cores` at once.
fn each(
    times: usize,
    cores: usize,
    work: impl Fn() -> Result<()> + Sync + 'static,
) -> Between<'static> {
    Between::new(move || {
        let seconds = cpu_at_once(&vec![(); cores], |()| (0..times).try_for_each(|_| work()))?;
        Ok(seconds * 1e6 / number(times.saturating_mul(cores)))
    })
}

/// A credential of an issuer's, with the codes, tokens and nonces on the way to it.
fn signed(issuer: &SoftwareKey) -> Result<()> {
    for _ in 0..DISCLOSURES {
        black_box(random::<16>());
        black_box(sha256(black_box(&[8; DISCLOSURE])));
    }
    for _ in 0..4 {
        black_box(random::<32>());
        black_box(sha256(black_box(&[9; 43])));
    }
    black_box(issuer.sign(&[0; SIGNED])?);
    Ok(())
}

fn fresh() -> Entropy {
    Entropy { ephemeral: random(), iv: random() }
}

/// Processor time of a presentation, in microseconds: a key made for the answer, the request signed; the answer decrypted;
/// the issuer's certificate, the credential and the holder's key binding verified; the disclosure hashed; the receipt
/// signed.
pub(super) fn presentation(times: usize, cores: usize) -> Result<Between<'static>> {
    let (verifier, issuer, holder) = (key()?, key()?, key()?);
    let (of_issuer, of_holder) = (issuer.sign(&[1; SIGNED])?, holder.sign(&[2; 512])?);
    let key = DecryptionKey::from_seed(&random())?;
    let public = key.public_jwk("response");
    let parameters = ContentEncryption::A256Gcm.into();
    let sealed = jwe::encrypt(&public, &parameters, &[3; SIGNED], &fresh())?;
    Ok(each(times, cores, move || {
        black_box(DecryptionKey::from_seed(&random())?.public_jwk("response"));
        black_box(verifier.sign(&[0; SIGNED])?);
        black_box(jwe::decrypt(&sealed, &key)?);
        // The certificate's signature, and the credential's.
        for _ in 0..2 {
            yufu_jose::verify(&issuer.public_key(), &[1; SIGNED], &of_issuer)?;
        }
        yufu_jose::verify(&holder.public_key(), &[2; 512], &of_holder)?;
        black_box(sha256(black_box(&[8; DISCLOSURE])));
        black_box(verifier.sign(&[4; 512])?);
        Ok(())
    }))
}

fn key() -> Result<SoftwareKey> {
    Ok(SoftwareKey::from_seed(&random())?)
}
