//! The checks that make a corpus usable without further questions.

use std::collections::{BTreeMap, BTreeSet};

use waxseal_verdict::{Aspect, Evidence, Expectation};

use crate::{Case, Corpus, Entry, Input, Level, Pki, Problem, Recipe, Source, Step, Tampering, published};

/// Adds every fault of the corpus to `problems`.
pub(crate) fn check(corpus: &Corpus, problems: &mut Vec<Problem>) {
    requirements(corpus, problems);
    pki(&corpus.pki, problems);
    for case in &corpus.cases {
        let file = file_of(case);
        let mut report = |field: &str, what: String| problems.push(Problem::new(&file, field, what));
        id(&case.id, &mut report);
        case_requirements(corpus, case, &mut report);
        expectations(case, &mut report);
        source(&case.source, &mut report);
        twin(corpus, case, &mut report);
        people(corpus, case, &mut report);
        evidence(case, &mut report);
    }
    unique(corpus.cases.iter().map(|case| (file_of(case), "id", case.id.clone())), problems);
    unique(corpus.entries.values().map(|entry| (file_of_entry(entry), "sha256", entry.sha256.clone())), problems);
    for exchange in &corpus.exchanges {
        exchange.check(&corpus.pki, |name| corpus.requirement(name).is_some(), problems);
    }
    corpus.matrix.check(&corpus.pki, problems);
    corpus.peers.check(corpus, problems);
    published::check(corpus, problems);
    corpus.transport.check(|id| corpus.case(id), problems);
    for entry in corpus.entries.values() {
        catalogue(entry, problems);
    }
}

/// Reports one fault of the file at hand: field, what.
type Report<'a> = dyn FnMut(&str, String) + 'a;

fn file_of(case: &Case) -> String {
    match &case.input {
        Input::Recipe(_) => format!("cases/{}.toml", case.id),
        Input::Recorded { file, .. } => crate::recorded::path_of(file),
        Input::Recording { .. } => format!("catalogue/{}.toml", case.id.trim_start_matches("recorded/")),
    }
}

fn file_of_entry(entry: &Entry) -> String {
    format!("catalogue/{}.toml", entry.id.trim_start_matches("recorded/"))
}

fn requirements(corpus: &Corpus, problems: &mut Vec<Problem>) {
    let file = || "requirements.toml".to_owned();
    unique(corpus.requirements.iter().map(|rule| (file(), "id", rule.id.clone())), problems);
    for rule in &corpus.requirements {
        if rule.text.trim().is_empty() || rule.reference.is_empty() {
            problems.push(Problem::new(&file(), &rule.id, "needs a text and at least one reference"));
        }
    }
}

fn id(id: &str, report: &mut Report<'_>) {
    let word = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
    };
    if id.split('/').count() != 3 || !id.split('/').all(word) {
        report("id", format!("{id:?} is not area/topic/name of lower-case letters, digits and hyphens"));
    }
}

fn case_requirements(corpus: &Corpus, case: &Case, report: &mut Report<'_>) {
    if case.requirements.is_empty() {
        report("requirements", "is empty: every case names at least one".to_owned());
    }
    for (index, name) in case.requirements.iter().enumerate() {
        if corpus.requirement(name).is_none() {
            report("requirements", format!("{name:?} is not in requirements.toml"));
        }
        if case.requirements[..index].contains(name) {
            report("requirements", format!("{name:?} stands there twice"));
        }
    }
}

fn expectations(case: &Case, report: &mut Report<'_>) {
    match (case.level, case.accept.is_empty()) {
        (Level::May, true) => report("accept", "is empty: level may lists the other right answers".to_owned()),
        (Level::Must | Level::Should, false) => report("accept", "belongs to level may only".to_owned()),
        _ => {}
    }
    expectation(case, "expect", &case.expect, report);
    for (index, variant) in case.accept.iter().enumerate() {
        expectation(case, &format!("accept.{}", index + 1), variant, report);
    }
}

fn expectation(case: &Case, field: &str, expectation: &Expectation, report: &mut Report<'_>) {
    if let Some(hash) = &expectation.content_sha256
        && !is_sha256(hash)
    {
        report(&format!("{field}.content_sha256"), format!("{hash:?} is no lower-case hexadecimal SHA-256"));
    }
    for (index, layer) in expectation.layers.iter().enumerate() {
        let place = format!("{field}.layers.{}", index + 1);
        if !case.needs.kinds.contains(&layer.kind) {
            report("needs.kinds", format!("does not list {}, which {place} expects", layer.kind));
        }
        if layer.aspects.is_empty() {
            report(&format!("{place}.aspects"), "is empty: a layer about which nothing is expected".to_owned());
        }
        if let Some(name) = layer.beside.keys().find(|name| layer.aspects.contains_key(name)) {
            report(&format!("{place}.beside.{name}"), "stands among the aspects too".to_owned());
        }
        for (name, aspect) in layer.aspects.iter().chain(&layer.beside) {
            let reasons: Vec<_> = match aspect {
                Aspect::Bad(bad) => std::iter::once(bad.reason).chain(bad.also.iter().copied()).collect(),
                other => other.reason().into_iter().collect(),
            };
            for reason in reasons {
                if !reason.aspects().contains(name) {
                    let fitting: Vec<_> = reason.aspects().iter().map(|aspect| aspect.code()).collect();
                    let what = format!("{reason} is a reason of {}, not of {name}", fitting.join(" and "));
                    report(&format!("{place}.aspects.{name}"), what);
                }
            }
        }
    }
}

fn source(source: &Source, report: &mut Report<'_>) {
    if source.clauses.is_empty() && source.client.is_none() && source.published.is_none() {
        report("source", "is empty: name a clause, a real client or a published answer".to_owned());
    }
    for clause in &source.clauses {
        const STANDARDS: [&str; 4] = ["RFC ", "X.", "GM/T ", "GB/T "];
        if !STANDARDS.iter().any(|standard| clause.starts_with(standard)) {
            report("source.clauses", format!("{clause:?} does not begin with the standard, such as `RFC 5652 5.6`"));
        }
    }
    let texts = source.client.iter().chain(&source.published);
    if texts.into_iter().any(|text| text.to_lowercase().contains("waxseal")) {
        report("source", "the engine is never the source of an expectation".to_owned());
    }
}

fn twin(corpus: &Corpus, case: &Case, report: &mut Report<'_>) {
    let recipe = matches!(case.input, Input::Recipe(_));
    match (&case.twin, case.is_negative() && recipe) {
        (None, true) => report("twin", "a negative case names its valid sibling".to_owned()),
        (None, false) => {}
        (Some(name), _) => {
            if case.difference.is_none() {
                report("difference", "is missing: say in a line how the case differs from its twin".to_owned());
            }
            let Some(twin) = corpus.case(name) else {
                return report("twin", format!("{name:?} is no case"));
            };
            if twin.is_negative() {
                report("twin", format!("{name} is negative itself"));
            }
            for (field, same) in [
                ("keys", twin.keys == case.keys),
                ("anchors", twin.anchors == case.anchors),
                ("clock", twin.clock == case.clock),
            ] {
                if !same {
                    report(field, format!("differs from that of the twin {name}"));
                }
            }
        }
    }
}

/// Every entity that a case names exists.
fn people(corpus: &Corpus, case: &Case, report: &mut Report<'_>) {
    let pki = &corpus.pki;
    for (field, names) in
        [("keys", &case.keys), ("anchors", &case.anchors), ("extra_certificates", &case.extra_certificates)]
    {
        for name in names.iter().filter(|name| pki.entity(name).is_none()) {
            report(field, format!("{name:?} is not in pki/pki.toml"));
        }
    }
    let mut sent = (Vec::new(), Vec::new());
    if let Input::Recipe(recipe) = &case.input {
        for step in &recipe.steps {
            if let Step::Sign(sign) = step {
                sent.0.extend(&sign.crls);
                sent.1.extend(&sign.ocsp);
            }
        }
    }
    for name in case.crls.iter().chain(sent.0).filter(|name| pki.crl(name).is_none()) {
        report("crls", format!("{name:?} is no CRL of pki/revocation.toml"));
    }
    for name in case.ocsp.iter().chain(sent.1).filter(|name| pki.ocsp(name).is_none()) {
        report("ocsp", format!("{name:?} is no OCSP response of pki/revocation.toml"));
    }
    for (index, earlier) in case.earlier.iter().enumerate() {
        people_of_recipe(pki, &earlier.recipe, &format!("earlier.{}.recipe", index + 1), report);
    }
    if let Input::Recipe(recipe) = &case.input {
        people_of_recipe(pki, recipe, "input.recipe", report);
    }
}

fn people_of_recipe(pki: &Pki, recipe: &Recipe, field: &str, report: &mut Report<'_>) {
    for (index, step) in recipe.steps.iter().enumerate() {
        let field = format!("{field}.steps.{}", index + 1);
        let (names, needed): (Vec<&String>, bool) = match step {
            Step::Sign(sign) => (
                sign.by
                    .iter()
                    .chain(sign.certificates.iter().flatten())
                    .chain(&sign.certificate_of)
                    .chain(&sign.encryption_certificate)
                    .collect(),
                sign.by.is_empty(),
            ),
            Step::Encrypt(encrypt) => {
                let nobody = encrypt.to.is_empty() && encrypt.keys.is_empty() && encrypt.passwords.is_empty();
                (encrypt.to.iter().collect(), nobody)
            }
            Step::Authenticate(authenticate) => (authenticate.to.iter().collect(), authenticate.to.is_empty()),
            Step::Stamp(stamp) => (vec![&stamp.by], stamp.by.is_empty()),
            Step::Tamper(tamper) => match &tamper.with {
                Tampering::Certificates { of } => (of.iter().collect(), false),
                Tampering::RecipientIdentifier { of } => (vec![of], false),
                _ => continue,
            },
            Step::Compress(_)
            | Step::Digest(_)
            | Step::EncryptWithKey(_)
            | Step::ListFooter(_)
            | Step::Wrap(_)
            | Step::Replace(_) => continue,
        };
        if needed {
            report(&field, "names nobody".to_owned());
        }
        for name in names.into_iter().filter(|name| pki.entity(name).is_none()) {
            report(&field, format!("{name:?} is not in pki/pki.toml"));
        }
    }
}

fn evidence(case: &Case, report: &mut Report<'_>) {
    let wanted = match &case.input {
        Input::Recording { sha256 } | Input::Recorded { sha256, .. } => {
            if !is_sha256(sha256) {
                report("sha256", format!("{sha256:?} is no lower-case hexadecimal SHA-256"));
            }
            Evidence::Recorded
        }
        Input::Recipe(recipe) if is_mutated(recipe) => Evidence::Mutated,
        Input::Recipe(_) => Evidence::Generated,
    };
    // A replica is generated too; only its fingerprint makes it one.
    if case.evidence != wanted && !(wanted == Evidence::Generated && case.evidence == Evidence::Replica) {
        report("evidence", format!("is {}, the input makes it {wanted}", case.evidence));
    }
}

fn is_mutated(recipe: &Recipe) -> bool {
    recipe.steps.iter().any(|step| matches!(step, Step::Replace(_) | Step::Tamper(_)))
}

fn catalogue(entry: &Entry, problems: &mut Vec<Problem>) {
    let file = file_of_entry(entry);
    for pin in entry.pinned() {
        if !is_sha256(&pin.sha256) {
            let what = format!("{:?} is no lower-case hexadecimal SHA-256", pin.sha256);
            problems.push(Problem::new(&file, &pin.file, what));
        }
    }
}

fn pki(pki: &Pki, problems: &mut Vec<Problem>) {
    let file = "pki/pki.toml";
    unique(pki.entities.iter().map(|entity| (file.to_owned(), "name", entity.name.clone())), problems);
    let mut expected = BTreeSet::new();
    for (index, entity) in pki.entities.iter().enumerate() {
        let mut report = |field: &str, what: String| {
            problems.push(Problem::new(file, format!("{}.{field}", entity.name), what));
        };
        let earlier = |name: &str| pki.entities[..index].iter().find(|other| other.name == name);
        if let Some(issuer) = &entity.issuer
            && earlier(issuer).is_none()
        {
            report("issuer", format!("{issuer:?} does not stand before it"));
        }
        if let Some(signer) = &entity.signed_by
            && earlier(signer).is_none()
        {
            report("signed_by", format!("{signer:?} does not stand before it"));
        }
        match &entity.key_of {
            None => drop(expected.insert(format!("{}.key.pem", entity.name))),
            Some(holder) if earlier(holder).is_some_and(|other| other.key == entity.key && other.key_of.is_none()) => {}
            Some(holder) => {
                report("key_of", format!("{holder:?} with an own key of the same kind does not stand before it"))
            }
        }
        expected.insert(format!("{}.cert.pem", entity.name));
        let serial = entity.serial.as_bytes();
        if serial.is_empty()
            || serial.len() > 40
            || !serial.len().is_multiple_of(2)
            || !serial.iter().all(u8::is_ascii_hexdigit)
        {
            report("serial", "is not 1 to 20 octets in hexadecimal".to_owned());
        }
        if entity.not_before >= entity.not_after {
            report("not_after", "does not come after not_before".to_owned());
        }
    }
    revocation(pki, problems);
    for name in expected.iter().filter(|name| !pki.files.contains_key(*name)) {
        problems.push(Problem::new(&format!("pki/{name}"), "", "is missing: see `cargo xtask vectors`"));
    }
    for name in pki.files.keys().filter(|name| !expected.contains(*name)) {
        problems.push(Problem::new(&format!("pki/{name}"), "", "belongs to no entity of pki/pki.toml"));
    }
}

/// CRLs and OCSP responses have names of their own, and name entities.
fn revocation(pki: &Pki, problems: &mut Vec<Problem>) {
    let file = "pki/revocation.toml";
    let names = pki.revocation.crl.iter().map(|crl| &crl.name);
    let names = names.chain(pki.revocation.ocsp.iter().map(|response| &response.name));
    unique(names.map(|name| (file.to_owned(), "name", name.clone())), problems);
    let crls = pki.revocation.crl.iter().flat_map(|crl| {
        let all = std::iter::once(&crl.issuer).chain(&crl.signed_by).chain(crl.revoked.iter().map(|entry| &entry.of));
        all.map(|entity| (&crl.name, entity))
    });
    let responses = pki.revocation.ocsp.iter().flat_map(|response| {
        let all = [&response.by, &response.about].into_iter().chain(&response.certificates).chain(&response.issued_by);
        all.map(|entity| (&response.name, entity))
    });
    for (name, entity) in crls.chain(responses).filter(|(_, entity)| pki.entity(entity).is_none()) {
        problems.push(Problem::new(file, name, format!("{entity:?} is not in pki/pki.toml")));
    }
}

/// Reports every value that stands in two places.
fn unique(values: impl Iterator<Item = (String, &'static str, String)>, problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for (file, field, value) in values {
        if let Some(first) = seen.insert(value.clone(), file.clone()) {
            problems.push(Problem::new(&file, field, format!("{value:?} stands in {first} too")));
        }
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|octet| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet))
}
