//! How the MIME around an object is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use waxseal_key::DigestAlgorithm;

use super::ComposeError;

/// A mail program's habits in MIME, as data.
///
/// Header fields stand here as they are written, folding included, without
/// the last line end; `{micalg}` and `{boundary}` are filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MimeShape {
    /// Fields of a multipart/signed.
    pub signed: Vec<String>,
    /// Fields of the signature part.
    pub signature: Vec<String>,
    /// Fields of an opaque signed mail.
    pub opaque: Vec<String>,
    /// Fields of an encrypted mail.
    pub enveloped: Vec<String>,
    /// Fields of a mail that is encrypted with a cipher that authenticates.
    pub auth_enveloped: Vec<String>,
    /// Fields of a compressed mail.
    pub compressed: Vec<String>,
    /// Fields of a mail with certificates and CRLs only.
    pub certs_only: Vec<String>,
    /// Fields of a mail around any other object: RFC 8551 section 3.2.2 has no
    /// smime-type for these.
    pub other: Vec<String>,
    /// Lines before the first part.
    pub preamble: String,
    /// How digests are called in micalg, by their name here; those of RFC 8551
    /// section 3.5.3.2 where nothing stands.
    pub micalg: BTreeMap<String, String>,
    /// Pattern of the boundary: `#` a decimal digit, `@` and `%` a hexadecimal
    /// one in lower and upper case, `*` a letter or digit.
    pub boundary: String,
    /// Characters of a line of base64: a multiple of 4.
    pub columns: usize,
}

impl Default for MimeShape {
    fn default() -> Self {
        let lines = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect();
        let object = |parameter: &str, name: &str| {
            vec![
                "MIME-Version: 1.0".to_owned(),
                format!("Content-Type: application/pkcs7-mime{parameter};\r\n name=\"{name}\""),
                "Content-Transfer-Encoding: base64".to_owned(),
                format!("Content-Disposition: attachment; filename=\"{name}\""),
            ]
        };
        Self {
            signed: lines(&[
                "MIME-Version: 1.0",
                "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n \
                 micalg={micalg}; boundary=\"{boundary}\"",
            ]),
            signature: lines(&[
                "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"",
                "Content-Transfer-Encoding: base64",
                "Content-Disposition: attachment; filename=\"smime.p7s\"",
            ]),
            opaque: object("; smime-type=signed-data", "smime.p7m"),
            enveloped: object("; smime-type=enveloped-data", "smime.p7m"),
            auth_enveloped: object("; smime-type=authEnveloped-data", "smime.p7m"),
            compressed: object("; smime-type=compressed-data", "smime.p7z"),
            certs_only: object("; smime-type=certs-only", "smime.p7c"),
            other: object("", "smime.p7m"),
            preamble: String::new(),
            micalg: BTreeMap::new(),
            boundary: "----=_waxseal_@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@".to_owned(),
            columns: 76,
        }
    }
}

impl MimeShape {
    /// The value of the micalg parameter; quoted if it has several names
    /// (RFC 8551 section 3.5.3.2).
    pub(in crate::message) fn micalg(&self, digests: &[DigestAlgorithm]) -> String {
        let mut names: Vec<&str> = Vec::new();
        for digest in digests {
            let name = self.micalg.get(digest.name()).map_or(digest.micalg(), String::as_str);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.len() > 1 { format!("\"{}\"", names.join(",")) } else { names.concat() }
    }

    /// Looks whether the shape gives a mail that can be taken apart again.
    pub(in crate::message) fn check(&self) -> Result<(), ComposeError> {
        // 998 is what a line of a mail may have at most (RFC 5322 section 2.1.1).
        if !(4..=998).contains(&self.columns) || !self.columns.is_multiple_of(4) {
            return Err(ComposeError::Shape("columns have to be a multiple of 4 from 4 to 996; 76 is the standard's"));
        }
        if !self.signed.iter().any(|field| field.contains("{boundary}")) {
            return Err(ComposeError::Shape("no field of a multipart/signed has its {boundary}"));
        }
        if !self.preamble.is_empty() && !self.preamble.ends_with("\r\n") {
            return Err(ComposeError::Shape("the preamble has to end with a line end, CRLF"));
        }
        Ok(())
    }
}

/// Fields of a shape as they are written, with the empty line after them.
pub(in crate::message) fn fields(templates: &[String], micalg: &str, boundary: &str) -> Vec<u8> {
    let mut out = String::new();
    for template in templates {
        out.push_str(&template.replace("{micalg}", micalg).replace("{boundary}", boundary));
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn micalg_names() {
        let mut shape = MimeShape::default();
        let both = [DigestAlgorithm::Sha256, DigestAlgorithm::Sha1, DigestAlgorithm::Sha256];
        assert_eq!(shape.micalg(&both[..1]), "sha-256");
        assert_eq!(shape.micalg(&both), "\"sha-256,sha-1\"");
        shape.micalg.insert("sha-256".to_owned(), "2.16.840.1.101.3.4.2.1".to_owned());
        assert_eq!(shape.micalg(&both[2..]), "2.16.840.1.101.3.4.2.1");
    }

    #[test]
    fn shapes_that_give_no_mail() {
        assert!(MimeShape::default().check().is_ok());
        let wrong = [
            MimeShape { columns: 0, ..MimeShape::default() },
            MimeShape { columns: 75, ..MimeShape::default() },
            MimeShape { columns: 1000, ..MimeShape::default() },
            MimeShape { signed: vec!["MIME-Version: 1.0".to_owned()], ..MimeShape::default() },
            MimeShape { preamble: "no line end".to_owned(), ..MimeShape::default() },
        ];
        for shape in wrong {
            assert!(matches!(shape.check(), Err(ComposeError::Shape(_))), "{shape:?}");
        }
    }

    #[test]
    fn a_shape_is_data() {
        let text = "boundary = \"Apple-Mail=_%%%%%%%%-%%%%-%%%%-%%%%-%%%%%%%%%%%%\"\n\
                    micalg.sha-1 = \"SHA1\"\ncolumns = 72\n";
        let shape: MimeShape = toml::from_str(text).unwrap();
        assert_eq!((shape.columns, shape.micalg["sha-1"].as_str()), (72, "SHA1"));
        assert_eq!(shape.opaque, MimeShape::default().opaque);
        assert_eq!(toml::from_str::<MimeShape>(&toml::to_string(&shape).unwrap()).unwrap(), shape);
        assert!(toml::from_str::<MimeShape>("colums = 72").is_err());
    }
}
