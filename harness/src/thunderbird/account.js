// An account without a mailbox, an identity, its certificates and its server.
// Arguments: address, name, SHA-256 of the certificates that sign and are
// encrypted for, host and port.
const [address, name, signing, encryption, host, port] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
const certificates = database.getCerts();
const find = fingerprint => {
  const found = certificates.find(one => one.sha256Fingerprint == fingerprint);
  if (!found) {
    const there = certificates.map(one => `${one.tokenName}: ${one.commonName}`);
    throw new Error(`no certificate ${fingerprint} among ${JSON.stringify(there)}`);
  }
  return found;
};
if (!MailServices.accounts.accounts.length) {
  MailServices.accounts.createLocalMailAccount();
}
const account = MailServices.accounts.accounts[0];
let identity = account.defaultIdentity;
if (!identity) {
  identity = MailServices.accounts.createIdentity();
  account.addIdentity(identity);
}
identity.email = address;
identity.fullName = name;
identity.composeHtml = false;
identity.valid = true;
identity.doFcc = false;
const known = identity.smtpServerKey && MailServices.outgoingServer.getServerByKey(identity.smtpServerKey);
const server = known || MailServices.outgoingServer.createServer("smtp");
server.QueryInterface(Ci.nsISmtpServer);
server.hostname = host;
server.port = port;
server.authMethod = Ci.nsMsgAuthMethod.none;
server.socketType = Ci.nsMsgSocketType.plain;
MailServices.outgoingServer.defaultServer = server;
identity.smtpServerKey = server.key;
for (const [purpose, fingerprint] of [["signing_cert", signing], ["encryption_cert", encryption]]) {
  const certificate = find(fingerprint);
  identity.setUnicharAttribute(`${purpose}_name`, certificate.displayName);
  identity.setCharAttribute(`${purpose}_dbkey`, certificate.dbKey);
}
identity.setBoolAttribute("is_gnupg_key_id", false);
return null;
