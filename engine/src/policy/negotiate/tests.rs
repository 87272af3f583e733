use super::*;
use crate::policy::Sm2Place;

/// What Outlook 16 announces, in its order.
const OUTLOOK: &[&str] =
    &["aes-256-cbc", "aes-192-cbc", "3des-cbc", "aes-128-cbc", "rc2-cbc:128", "rc2-cbc:64", "sha-1"];
/// What Thunderbird 128 announces, with its mistake in RC2.
const THUNDERBIRD: &[&str] = &["aes-256-cbc", "aes-128-cbc", "3des-cbc", "rc2-cbc:5", "rc2-cbc:5", "des-cbc", "rsa"];
/// What Apple's library announces.
const APPLE: &[&str] = &["aes-128-cbc", "3des-cbc", "rc2-cbc:128"];
/// A program of 1998 for export.
const EXPORTED: &[&str] = &["rc2-cbc:40"];

fn list(names: &[&str]) -> Vec<Capability> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// The cipher for these recipients, or the word for why there is none.
fn chosen(policy: &Policy, peers: &[Option<&[&str]>]) -> Result<String, &'static str> {
    let lists: Vec<_> = peers.iter().map(|names| names.map(list)).collect();
    let peers: Vec<_> =
        lists.iter().map(|list| Peer { name: "somebody", announced: list.as_deref(), era: None }).collect();
    negotiate(policy, &peers).map(|agreement| agreement.cipher.spelling()).map_err(|error| error.code())
}

fn policy(name: &str) -> Policy {
    Policy::named(name).unwrap()
}

#[test]
fn one_recipient_gets_the_first_of_the_list_that_can_be_used() {
    let default = policy("default");
    for (announced, expected) in [
        (OUTLOOK, "aes-256-cbc"),
        (THUNDERBIRD, "aes-256-cbc"),
        (APPLE, "aes-128-cbc"),
        (&["3des-cbc", "aes-128-cbc"], "aes-128-cbc"),
        (&["aes-128-gcm", "aes-256-cbc"], "aes-128-gcm"),
        // Nobody knows the first; the second is no cipher; NULL tells nothing apart.
        (&["2.999.1", "sha-256", "aes-192-cbc:null"], "aes-192-cbc"),
    ] {
        assert_eq!(chosen(&default, &[Some(announced)]), Ok(expected.to_owned()), "{announced:?}");
    }
}

#[test]
fn all_recipients_get_the_same() {
    let default = policy("default");
    let ask = |peers: &[&[&str]]| chosen(&default, &peers.iter().map(|names| Some(*names)).collect::<Vec<_>>());
    assert_eq!(ask(&[OUTLOOK, APPLE]), Ok("aes-128-cbc".to_owned()));
    assert_eq!(ask(&[OUTLOOK, THUNDERBIRD]), Ok("aes-256-cbc".to_owned()));
    // The worst place counts, not whose list it is; between equals the sender's order.
    assert_eq!(ask(&[&["aes-128-cbc", "aes-256-cbc"], &["aes-256-cbc", "aes-128-cbc"]]), Ok("aes-256-cbc".to_owned()));
    let last = &["aes-192-cbc", "aes-256-cbc", "aes-128-cbc"];
    assert_eq!(ask(&[last, &["aes-128-cbc", "aes-256-cbc"]]), Ok("aes-256-cbc".to_owned()));
    assert_eq!(ask(&[&["aes-128-cbc"], &["aes-256-cbc"]]), Err("nothing-common"));
    assert_eq!(ask(&[OUTLOOK, EXPORTED]), Err("nothing-usable"));
    assert_eq!(ask(&[]), Err("no-recipient"));
}

/// RC2, DES and Triple DES are in no built-in policy; a policy that names them
/// sends them.
#[test]
fn nothing_weak_without_an_explicit_policy() {
    for name in Policy::names() {
        let mut policy = policy(name);
        for cipher in policy.negotiation.sent() {
            assert!(cipher.strength_bits() >= 128, "{name} sends {cipher}");
        }
        for weak in [EXPORTED, &["rc2-cbc:128"], &["3des-cbc"], &["des-cbc"], &["sha-256"], &[]] {
            assert_eq!(chosen(&policy, &[Some(weak)]), Err("nothing-usable"), "{name} {weak:?}");
        }
        policy.negotiation.ciphers.push("rc2-cbc-40".to_owned());
        policy.negotiation.ciphers.push("3des-cbc".to_owned());
        assert_eq!(chosen(&policy, &[Some(EXPORTED)]), Ok("rc2-cbc-40".to_owned()));
        assert_eq!(chosen(&policy, &[Some(&["3des-cbc"])]), Ok("3des-cbc".to_owned()));
        assert_eq!(chosen(&policy, &[Some(&["rc2-cbc:128"])]), Err("nothing-usable"), "64 and 128 bits are others");
        assert_eq!(chosen(&policy, &[Some(&["rc2-cbc:5"])]), Err("nothing-usable"));
        assert_eq!(chosen(&policy, &[Some(&["rc2-cbc"])]), Err("nothing-usable"));
    }
}

/// The rules of RFC 2311 2.6.2, 2633 2.7.1, 3851 2.7.1, 5751 2.7.1.2, 8551 2.7.1.2.
#[test]
fn whoever_announced_nothing_gets_what_their_era_says() {
    let mut policy = policy("default");
    let ask = |policy: &Policy, era| {
        let agreement = negotiate(policy, &[Peer { name: "somebody", announced: None, era }]);
        agreement.map(|agreement| agreement.cipher.spelling()).map_err(|error| error.code())
    };
    let ok = |name: &str| Ok(name.to_owned());
    assert_eq!(ask(&policy, None), ok("aes-128-cbc"));
    for era in [Era::Smime2, Era::Smime3, Era::Smime31] {
        assert_eq!(ask(&policy, Some(era)), Err("nothing-usable"), "{era:?}");
    }
    assert_eq!(ask(&policy, Some(Era::GmT)), ok("sm4-cbc"));
    assert_eq!(ask(&policy, Some(Era::Smime32)), ok("aes-128-cbc"));
    policy.negotiation.authenticated_unannounced = true;
    assert_eq!(ask(&policy, None), ok("aes-256-gcm"));
    policy.negotiation.ciphers = vec!["rc2-cbc-40".to_owned()];
    for era in [Era::Smime2, Era::Smime3, Era::Smime31] {
        assert_eq!(ask(&policy, Some(era)), ok("rc2-cbc-40"), "{era:?}");
    }
    policy.negotiation.ciphers.push("3des-cbc".to_owned());
    for era in [Era::Smime2, Era::Smime3, Era::Smime31, Era::Smime32] {
        assert_eq!(ask(&policy, Some(era)), ok("3des-cbc"), "{era:?}");
    }
    policy.negotiation.assume = Assume::Nothing;
    assert_eq!(ask(&policy, None), Err("not-announced"));
    assert_eq!(ask(&policy, Some(Era::Smime31)), ok("3des-cbc"));
}

#[test]
fn the_answer_tells_why() {
    let (outlook, apple) = (list(OUTLOOK), list(APPLE));
    let peers = [
        Peer { name: "ann@example.test", announced: Some(&outlook), era: None },
        Peer { name: "bob@example.test", announced: Some(&apple), era: None },
        Peer { name: "new@example.test", announced: None, era: None },
    ];
    assert_eq!(
        negotiate(&policy("default"), &peers).unwrap().to_string(),
        "aes-128-cbc: ann@example.test announced aes-256-cbc, aes-192-cbc, 3des-cbc (the policy does not send it), \
         aes-128-cbc, rc2-cbc:128 (the policy does not send it), rc2-cbc:64 (the policy does not send it); \
         bob@example.test announced aes-128-cbc, 3des-cbc (the policy does not send it), rc2-cbc:128 (the policy does \
         not send it); new@example.test announced nothing, RFC 8551 section 2.7.1.2 assumes aes-256-gcm (may not be \
         known to who did not announce it), aes-128-cbc"
    );
    let exported = list(&["rc2-cbc:40", "rc2-cbc:5"]);
    let error =
        negotiate(&policy("default"), &[Peer { name: "old@example.test", announced: Some(&exported), era: None }]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "nothing that old@example.test can read is sent under policy default: rc2-cbc:40 (the policy does not send \
         it), rc2-cbc:5 (its parameters mean nothing)"
    );
}

/// Correspondents of two worlds: what each policy sends to whom.
#[test]
fn sm4_stands_where_the_policy_puts_it() {
    const BOTH: &[&str] = &["sm4-cbc", "aes-256-cbc", "aes-128-cbc"];
    const BOTH_LAST: &[&str] = &["aes-256-cbc", "sm4-gcm", "sm4-cbc"];
    const SM4: &[&str] = &["sm4-cbc"];
    let as_announced = {
        let mut policy = policy("default");
        policy.negotiation.sm2 = Sm2Place::AsAnnounced;
        policy
    };
    let policies = [policy("default"), as_announced, policy("gm"), policy("strict")];
    type Row<'a> = (&'a [Option<&'a [&'a str]>], [Result<&'a str, &'static str>; 4]);
    let rows: [Row<'_>; 7] = [
        (&[Some(BOTH)], [Ok("aes-256-cbc"), Ok("sm4-cbc"), Ok("sm4-cbc"), Ok("aes-256-cbc")]),
        (&[Some(BOTH_LAST)], [Ok("aes-256-cbc"), Ok("aes-256-cbc"), Ok("sm4-gcm"), Ok("aes-256-cbc")]),
        (&[Some(SM4)], [Ok("sm4-cbc"), Ok("sm4-cbc"), Ok("sm4-cbc"), Err("nothing-usable")]),
        // Who knows no SM4 gets none, under whatever policy.
        (&[Some(OUTLOOK)], [Ok("aes-256-cbc"); 4]),
        (&[Some(BOTH), Some(OUTLOOK)], [Ok("aes-256-cbc"); 4]),
        (&[Some(BOTH), Some(SM4)], [Ok("sm4-cbc"), Ok("sm4-cbc"), Ok("sm4-cbc"), Err("nothing-usable")]),
        // Nothing that both can read: it takes two mails.
        (
            &[Some(SM4), Some(APPLE)],
            [Err("nothing-common"), Err("nothing-common"), Err("nothing-common"), Err("nothing-usable")],
        ),
    ];
    for (peers, expected) in rows {
        let found = [0, 1, 2, 3].map(|at: usize| chosen(&policies[at], peers));
        let expected = expected.map(|one| one.map(str::to_owned));
        assert_eq!(found, expected, "{peers:?}");
    }
}
