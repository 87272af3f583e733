use std::io::Cursor;

use super::*;
use crate::Limits;

fn cut(text: &str) -> Part {
    crate::mime::parse(&mut Cursor::new(text), &Limits::default()).unwrap()
}

fn leaf(content_type: &str) -> (Option<String>, Vec<Deviation>) {
    let part = cut(&format!("{content_type}\r\n\r\nx\r\n"));
    match classify(&part) {
        None => (None, vec![]),
        Some(smime) => (Some(format!("{:?}", smime.role)), smime.deviations),
    }
}

fn signed(parameters: &str, signature_type: &str) -> String {
    format!(
        "Content-Type: multipart/signed; {parameters}boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
         Content-Type: {signature_type}\r\n\r\nsig\r\n--b--\r\n"
    )
}

fn signed_deviations(parameters: &str, signature_type: &str) -> Option<Vec<Deviation>> {
    let part = cut(&signed(parameters, signature_type));
    let smime = classify(&part)?;
    assert!(matches!(smime.role, Role::Signed { .. }), "{:?}", smime.role);
    Some(smime.deviations)
}

#[test]
fn pkcs7_mime_in_every_spelling() {
    let signed = Some("Pkcs7Mime { smime_type: Some(SignedData) }".to_owned());
    let bare = Some("Pkcs7Mime { smime_type: None }".to_owned());
    assert_eq!(leaf("Content-Type: application/pkcs7-mime; smime-type=signed-data"), (signed.clone(), vec![]));
    assert_eq!(
        leaf("Content-Type: Application/X-PKCS7-MIME; Smime-Type=\"Signed-Data\"; name=smime.p7m"),
        (signed, vec![Deviation::XPkcs7Name])
    );
    assert_eq!(
        leaf("Content-Type: application/pkcs7-mime; name=smime.p7m"),
        (bare.clone(), vec![Deviation::SmimeTypeMissing])
    );
    assert_eq!(
        leaf("Content-Type: application/octet-stream; name=\"SMIME.P7M\""),
        (bare.clone(), vec![Deviation::OctetStreamName])
    );
    assert_eq!(
        leaf(
            "Content-Type: application/octet-stream\r\n\
             Content-Disposition: attachment; filename=\"=?utf-8?B?c21pbWUucDdt?=\""
        ),
        (bare, vec![Deviation::OctetStreamName])
    );
    assert_eq!(
        leaf("Content-Type: application/octet-stream; name=a.p7z").0.unwrap(),
        "Pkcs7Mime { smime_type: Some(CompressedData) }"
    );
    assert_eq!(leaf("Content-Type: application/octet-stream; name=certs.p7c").0.unwrap(), "CertsOnly");
    assert_eq!(leaf("Content-Type: application/pkcs7-mime; smime-type=Certs-Only").0.unwrap(), "CertsOnly");
    assert_eq!(leaf("Content-Type: application/pkcs7-signature; name=x"), (Some("DetachedSignature".into()), vec![]));
    assert_eq!(leaf("Content-Type: application/octet-stream; name=smime.p7s").0.unwrap(), "DetachedSignature");
    assert_eq!(leaf("Content-Type: application/octet-stream; name=p7m.pdf").0, None);
    assert_eq!(leaf("Content-Type: text/plain").0, None);
}

#[test]
fn a_file_name_counts_beside_octet_stream_only() {
    for media_type in ["text/html", "text/plain", "image/png", "application/pdf", "message/rfc822", "multipart/mixed"] {
        for name in ["a.p7m", "smime.p7s", "a.p7c", "a.p7z"] {
            assert_eq!(leaf(&format!("Content-Type: {media_type}; name={name}")).0, None, "{media_type} {name}");
        }
    }
    assert_eq!(leaf("Content-Disposition: attachment; filename=smime.p7m").0, None, "text/plain by default");
    assert_eq!(
        leaf("Content-Type: application/pkcs7-mime; name=a.p7z").0.unwrap(),
        "Pkcs7Mime { smime_type: Some(CompressedData) }"
    );
}

#[test]
fn a_part_that_is_shown_is_no_signature() {
    let pkcs7 = "protocol=\"application/pkcs7-signature\"; micalg=sha-256; ";
    for signature_type in ["text/html; name=smime.p7s", "text/html", "image/png; name=smime.p7s"] {
        let part = cut(&signed(pkcs7, signature_type));
        let found = find(&part);
        let why = "multipart/signed without a signature part";
        assert_eq!(found[0].smime.role, Role::Broken { why }, "{signature_type}");
        assert!(found[0].covered.is_empty());
        assert_eq!(found[0].uncovered, ["1.1", "1.2"]);
        assert_eq!(find(&cut(&signed("", signature_type))), [], "{signature_type}");
    }
    // What precedes the signature is beside it.
    let text = signed(pkcs7, "text/html; name=smime.p7s")
        .replace("--b--", "--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nsig\r\n--b--");
    let part = cut(&text);
    let found = find(&part);
    assert_eq!(found[0].smime.object().unwrap().path, "1.3");
    assert_eq!(found[0].uncovered, ["1.2"]);
    assert!(signed_deviations(pkcs7, "application/octet-stream").is_some());
}

#[test]
fn multipart_signed_in_every_spelling() {
    let pkcs7 = "protocol=\"application/pkcs7-signature\"; micalg=sha-256; ";
    let old = "protocol=\"APPLICATION/X-pkcs7-signature\"; micalg=sha-256; ";
    assert_eq!(signed_deviations(pkcs7, "application/pkcs7-signature"), Some(vec![]));
    assert_eq!(signed_deviations(old, "application/X-PKCS7-signature"), Some(vec![Deviation::XPkcs7Name]));
    let both = Some(vec![Deviation::ProtocolTypeDiffers, Deviation::XPkcs7Name]);
    assert_eq!(signed_deviations(old, "application/pkcs7-signature"), both);
    assert_eq!(
        signed_deviations(pkcs7, "application/octet-stream; name=smime.p7s"),
        Some(vec![Deviation::ProtocolTypeDiffers, Deviation::OctetStreamName])
    );
    assert_eq!(
        signed_deviations("", "application/pkcs7-signature"),
        Some(vec![Deviation::ProtocolTypeDiffers, Deviation::MicalgWrong])
    );
    assert_eq!(signed_deviations("protocol=\"application/pgp-signature\"; ", "application/pgp-signature"), None);
}

#[test]
fn storage_and_structure_are_deviations_too() {
    let text = signed("protocol=\"application/pkcs7-signature\"; micalg=sha-256; ", "application/pkcs7-signature");
    let deviations = |text: &str| classify(&cut(text)).unwrap().deviations;
    assert_eq!(deviations(&text.replace("\r\n", "\n")), [Deviation::LfLineEnds]);
    assert_eq!(deviations(&text.replace("--b--\r\n", "")), [Deviation::MultipartUnclosed]);
}

#[test]
fn what_occurs_twice_is_said() {
    let text = signed("protocol=\"application/pkcs7-signature\"; micalg=sha-256; ", "application/pkcs7-signature");
    let inside = format!("Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n{text}\r\n--out--\r\n");
    let deviations = |text: &str| find(&cut(text)).remove(0).smime.deviations;
    assert_eq!((deviations(&text), deviations(&inside)), (vec![], vec![]));
    let signature = "Content-Type: application/pkcs7-signature\r\n";
    for (text, what, twice) in [
        (&text, "boundary=b", "boundary=b; Boundary=c".to_owned()),
        (&text, "boundary=b", "boundary=c; boundary*=us-ascii''b".to_owned()),
        (&text, "boundary=b", "boundary*=us-ascii''b; boundary*=us-ascii''c".to_owned()),
        (&text, "boundary=b\r\n", "boundary=b\r\nContent-Type: text/plain\r\n".to_owned()),
        (&text, signature, format!("{signature}content-type: text/html\r\n")),
        (&text, signature, format!("{signature}{}", "Content-Transfer-Encoding: 7bit\r\n".repeat(2))),
        (&inside, "boundary=out", "boundary=out; boundary=other".to_owned()),
        (&inside, "boundary=out\r\n", "boundary=out\r\nContent-Type: text/plain\r\n".to_owned()),
    ] {
        assert!(text.contains(what));
        assert_eq!(deviations(&text.replacen(what, &twice, 1)), [Deviation::RepeatedHeader], "{twice}");
    }
    let leaf = leaf("Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Type: text/html");
    assert_eq!(leaf.1, [Deviation::RepeatedHeader]);
}

#[test]
fn what_is_missing_is_said() {
    let why = |text: &str| match classify(&cut(text)).unwrap().role {
        Role::Broken { why } => why,
        other => panic!("{other:?}"),
    };
    let head = "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"";
    assert!(why(&format!("{head}\n\nx")).contains("without a boundary"));
    assert!(why(&format!("{head}; boundary=b\n\nx")).contains("without any part"));
    assert!(why(&format!("{head}; boundary=b\n\n--b\n\nx\n--b--\n")).contains("without a signature part"));
}

#[test]
fn a_footer_after_the_signature_is_extra() {
    let text = signed("protocol=\"application/pkcs7-signature\"; ", "application/pkcs7-signature")
        .replace("--b--", "--b\r\n\r\nfooter\r\n--b--");
    let part = cut(&text);
    let found = find(&part);
    let Role::Signed { extra, .. } = &found[0].smime.role else { panic!("{:?}", found[0].smime.role) };
    assert_eq!(extra[0].path, "1.3");
    assert_eq!(
        (found[0].covered.as_slice(), found[0].uncovered.as_slice()),
        (["1.1".to_owned()].as_slice(), ["1.3".to_owned()].as_slice())
    );
}

#[test]
fn a_list_wrapper_is_looked_through_and_its_footer_uncovered() {
    let inner = signed("protocol=\"application/pkcs7-signature\"; ", "application/pkcs7-signature").replace(
        "--b\r\n\r\ntext",
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\none\r\n--c\r\n\r\ntwo\r\n--c--",
    );
    let text = format!(
        "Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n{inner}\r\n--out\r\n\r\nlist footer\r\n\
         --out\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--out\r\n\r\n\r\n--out--\r\n"
    );
    let part = cut(&text);
    let found = find(&part);
    assert_eq!(found.len(), 1, "the signed message that is attached is another message");
    assert_eq!(found[0].smime.part.path, "1.1");
    assert_eq!(found[0].smime.object().unwrap().path, "1.1.2");
    assert_eq!(found[0].covered, ["1.1.1.1", "1.1.1.2"]);
    assert_eq!(found[0].uncovered, ["1.2", "1.3.1.1.1", "1.3.1.1.2", "1.3.1.2"]);
}

#[test]
fn two_signed_parts_do_not_cover_each_other() {
    let inner = signed("protocol=\"application/pkcs7-signature\"; ", "application/pkcs7-signature");
    let other = "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nx";
    let text = format!(
        "Content-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n{inner}\r\n--out\r\n{other}\r\n--out--\r\n"
    );
    let part = cut(&text);
    let found = find(&part);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].covered.clone(), found[0].uncovered.clone()),
        (vec!["1.1.1".to_owned()], vec!["1.2".to_owned()])
    );
    assert_eq!(found[1].covered, ["1.2"]);
    assert_eq!(found[1].uncovered, ["1.1.1", "1.1.2"]);
}

#[test]
fn the_number_of_protected_parts_is_bounded() {
    let part = "--b\nContent-Type: application/pkcs7-mime; smime-type=signed-data\n\nx\n";
    let root = cut(&format!("Content-Type: multipart/mixed; boundary=b\n\n{}", part.repeat(1000)));
    let found = find(&root);
    assert_eq!(found.len(), 32);
    assert_eq!(found[0].uncovered.len(), 999);
}
