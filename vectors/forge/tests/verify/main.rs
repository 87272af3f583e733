//! Second opinions on the chain of every generated case: `openssl verify` and
//! rustls-webpki are asked about each signer at the clock of the case, and say
//! what the engine says, but for what stands in `known` with the reason.
//!
//! Which certificates the mail carries is taken from its recipe, not from the
//! message: nothing here looks through the engine's glasses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod asked;
mod known;
mod openssl;
#[path = "../support/mod.rs"]
mod support;
mod webpki;

use std::collections::{BTreeMap, BTreeSet};

use asked::Asked;
use known::Right;
use support::for_each_case;
use waxseal_model::{Case, Corpus, Input};
use waxseal_verdict::{Aspect, Kind, Reason, Signer};

/// What somebody says of a chain, and why.
type Opinion = Result<(), String>;

/// A signer of a case: what is asked about it, and what the engine said.
struct Judged {
    case: String,
    algorithms: BTreeSet<String>,
    asked: Asked,
    chain: Aspect,
}

/// What the engine said of every signature that a recipe makes.
#[derive(Default)]
struct Engine {
    judged: Vec<Judged>,
    /// Cases of whose chains it said nothing.
    silent: BTreeSet<String>,
    /// How many chains are bad by what CRLs and OCSP say, which nobody else is asked here.
    revocation: usize,
}

fn engine(corpus: &Corpus) -> Engine {
    use Reason as R;
    let mut said = Engine::default();
    for_each_case(|case, _, opened| {
        let Input::Recipe(recipe) = &case.input else { return };
        let asked = asked::of(corpus, case, recipe);
        let signed = opened.verdict.layers.iter().rev().filter(|layer| layer.kind == Kind::Signed);
        let signers: Vec<&Signer> = signed.flat_map(|layer| &layer.signers).collect();
        if signers.len() != asked.len() {
            said.silent.insert(case.id.clone());
            return;
        }
        for (asked, signer) in asked.into_iter().zip(signers) {
            match &signer.chain {
                chain @ Aspect::Bad(bad) => match bad.reason {
                    R::Revoked | R::RevocationUnknown | R::CrlProblem | R::OcspProblem => said.revocation += 1,
                    _ => said.judged.push(judged(case, asked, chain)),
                },
                Aspect::Good => said.judged.push(judged(case, asked, &signer.chain)),
                _ => drop(said.silent.insert(case.id.clone())),
            }
        }
    });
    said
}

fn judged(case: &Case, asked: Asked, chain: &Aspect) -> Judged {
    Judged { case: case.id.clone(), algorithms: case.needs.algorithms.clone(), asked, chain: chain.clone() }
}

/// Compares an opinion with the engine's on every chain; how many agreed.
fn compare(name: &str, all: &[Judged], mut ask: impl FnMut(&Asked) -> Opinion) -> usize {
    let known: Vec<_> = known::DIFFERENCES.iter().filter(|known| known.by == name).collect();
    let mut used = BTreeSet::new();
    let mut opinions: BTreeMap<&Asked, Opinion> = BTreeMap::new();
    let (mut agreed, mut differ, mut wrong) = (0, 0, Vec::new());
    for one in all {
        let opinion = opinions.entry(&one.asked).or_insert_with(|| ask(&one.asked)).clone();
        let explained = known.iter().find(|known| known.of == one.case || one.algorithms.contains(known.of));
        match (opinion.is_ok() == one.chain.is_good(), explained) {
            (true, _) => agreed += 1,
            (false, Some(known)) => {
                differ += 1;
                used.insert(known.of);
            }
            (false, None) => {
                wrong.push(format!("{}: the engine says {}, {name} says {opinion:?}", one.case, one.chain))
            }
        }
    }
    let (chains, asked, reasons) = (all.len(), opinions.len(), known.len());
    println!(
        "{name}: {agreed} of {chains} chains agree, {differ} differ and are explained by {reasons} rows, {asked} questions"
    );
    assert!(wrong.is_empty(), "{} differences are not explained:\n{}", wrong.len(), wrong.join("\n"));
    let out_of_date: Vec<_> = known.iter().map(|known| known.of).filter(|of| !used.contains(of)).collect();
    assert!(out_of_date.is_empty(), "{name} agrees after all on {out_of_date:?}");
    agreed
}

#[test]
fn chains_are_what_openssl_and_webpki_say() {
    let corpus = Corpus::embedded().unwrap();
    let Engine { judged: all, silent, revocation } = engine(&corpus);
    println!("{revocation} chains are bad by CRLs or OCSP; of {} cases no chain could be judged", silent.len());
    // Then something else has to be bad: a signature that could not be read, or not be reached.
    let silent: Vec<_> = silent.iter().filter(|id| !corpus.case(id).is_some_and(|case| case.is_negative())).collect();
    assert!(silent.is_empty(), "cases without a verdict on the chain: {silent:?}");
    assert!(all.len() >= 503, "{} chains", all.len());
    let by_webpki = compare("webpki", &all, webpki::ask);
    assert!(by_webpki >= 424, "{by_webpki}");
    // Whoever is a witness is asked, and does not differ.
    for case in
        corpus.cases().iter().filter(|case| case.witnesses.iter().any(|one| one.implementation == "rustls-webpki"))
    {
        assert!(all.iter().any(|one| one.case == case.id), "{}", case.id);
        assert!(!known::DIFFERENCES.iter().any(|known| known.by == "webpki" && known.of == case.id), "{}", case.id);
    }
    if let Some(openssl) = openssl::find() {
        let agreed = compare("openssl", &all, |asked| openssl.ask(asked));
        assert!(agreed >= 410, "{agreed}");
    }
}

/// Every explanation says who is right; where the other one is, the engine has a fault.
#[test]
fn nobody_else_is_right() {
    for known in known::DIFFERENCES {
        assert!(!known.why.is_empty() && known.right != Right::Other, "{}: {}", known.of, known.why);
    }
}
