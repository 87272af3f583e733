// Puts the keys and certificates of one request into the database, in the place
// of those that were there. Arguments: paths of PKCS #12 files and their
// password, certificates of authorities that are trusted for mail, others; all
// certificates in base64. What it returns is what was not taken.
const [keys, password, anchors, others] = arguments;
const main = Services.wm.getMostRecentWindow("mail:3pane");
const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
if (!main.waxsealBuiltIn) {
  // Nobody is trusted but who is named: those who come with the program lose
  // their trust when they are deleted, and stay in the list.
  for (const one of database.getCerts()) {
    if (database.isCertTrusted(one, Ci.nsIX509Cert.CA_CERT, Ci.nsIX509CertDB.TRUSTED_EMAIL)) {
      database.deleteCertificate(one);
    }
  }
  main.waxsealBuiltIn = new Set(database.getCerts().map(one => one.dbKey));
}
// Mails leave certificates behind, too.
for (const one of database.getCerts()) {
  if (!main.waxsealBuiltIn.has(one.dbKey)) {
    database.deleteCertificate(one);
  }
}
const refused = [];
const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
for (const path of keys) {
  file.initWithPath(path);
  const code = database.importPKCS12File(file, password);
  if (code != Ci.nsIX509CertDB.Success) {
    const names = Object.keys(Ci.nsIX509CertDB);
    refused.push(`importPKCS12File: ${names.find(name => name.startsWith("ERROR") && Ci.nsIX509CertDB[name] == code) ?? code}`);
  }
}
for (const [list, trust] of [[others, ",,"], [anchors, ",C,"]]) {
  for (const certificate of list) {
    try {
      database.addCertFromBase64(certificate, trust);
    } catch (error) {
      refused.push(`addCertFromBase64: ${error.name ?? error}`);
    }
  }
}
return refused;
