//! What a recipe says of its signers.

use waxseal_model::{Case, Corpus, Recipe, Step, Tampering};

/// A question about one certificate: PEM of it, of what is known beside it and
/// of what is trusted, and the time in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) leaf: String,
    pub(crate) others: Vec<String>,
    pub(crate) anchors: Vec<String>,
    pub(crate) at: i64,
}

/// The question about each signer of each signature, innermost first.
pub(crate) fn of(corpus: &Corpus, case: &Case, recipe: &Recipe) -> Vec<Asked> {
    let pki = corpus.pki();
    let pem = |name: &str| pki.certificate_pem(name).unwrap().to_owned();
    let extra = || case.extra_certificates.iter().map(|name| pem(name));
    let questions = |signers: Vec<&str>, sent: Option<Vec<&str>>| -> Vec<Asked> {
        let sent = sent.unwrap_or_else(|| signers.iter().flat_map(|name| pki.path_without_root(name)).collect());
        let question = |signer: &str| {
            let mut others: Vec<_> = sent.iter().map(|name| pem(name)).chain(extra()).collect();
            others.dedup();
            let anchors = case.anchors.iter().map(|name| pem(name)).collect();
            Asked { leaf: pem(signer), others, anchors, at: case.clock.unix() }
        };
        signers.into_iter().map(question).collect()
    };
    let mut asked = Vec::new();
    let mut last = 0;
    for step in &recipe.steps {
        match step {
            Step::Sign(sign) => {
                last = asked.len();
                let named = |index: usize| sign.certificate_of.as_deref().filter(|_| index == 0);
                let signers = sign.by.iter().enumerate().map(|(index, name)| named(index).unwrap_or(name));
                let signers: Vec<&str> = signers.collect();
                let sent = sign.certificates.as_ref().map(|given| given.iter().map(String::as_str).collect());
                asked.extend(questions(signers, sent));
            }
            // The signers of a SignedAndEnvelopedData.
            Step::Encrypt(encrypt) => {
                asked.extend(questions(encrypt.signed_by.iter().map(String::as_str).collect(), None));
            }
            Step::Tamper(tamper) => {
                if let Tampering::Certificates { of } = &tamper.with {
                    for one in &mut asked[last..] {
                        one.others = of.iter().map(|name| pem(name)).chain(extra()).collect();
                    }
                }
            }
            _ => {}
        }
    }
    asked
}
