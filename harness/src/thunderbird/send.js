// Writes a mail and sends it. Argument: the draft.
const [draft] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const account = MailServices.accounts.accounts[0];
const identity = account.defaultIdentity;
const decoded = text => MailServices.mimeConverter.decodeMimeHeader(text, null, false, true);
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
fields.from = MailServices.headerParser.makeMimeAddress(identity.fullName, identity.email);
fields.to = decoded(draft.to);
fields.cc = decoded(draft.cc);
fields.subject = decoded(draft.subject);
fields.body = draft.body;
fields.useMultipartAlternative = false;
fields.forcePlainText = draft.mediaType == "text/plain";
if (draft.messageId) {
  fields.messageId = draft.messageId;
}
if (draft.references) {
  fields.references = draft.references;
}
for (const { path, name, media_type } of draft.attachments) {
  const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
  file.initWithPath(path);
  const attachment = Cc["@mozilla.org/messengercompose/attachment;1"].createInstance(Ci.nsIMsgAttachment);
  attachment.url = Services.io.newFileURI(file).spec;
  attachment.name = name;
  attachment.contentType = media_type;
  attachment.size = file.fileSize;
  fields.addAttachment(attachment);
}
const secure = Cc["@mozilla.org/messengercompose/composesecure;1"].createInstance(Ci.nsIMsgComposeSecure);
secure.signMessage = draft.sign;
secure.requireEncryptMessage = draft.encrypt;
if (draft.signFormat) {
  secure.signFormat = draft.signFormat;
}
if (draft.encrypt) {
  const database = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
  const all = database.getCerts();
  const named = new Map(
    draft.certificates.map(([address, fingerprint]) => [
      address.toLowerCase(),
      all.find(one => one.sha256Fingerprint == fingerprint),
    ])
  );
  // The window of a message looks for the certificates while addresses are typed;
  // one that is missing then would be told in a dialog that nobody closes.
  const addresses = [fields.to, fields.cc].flatMap(text => MailServices.headerParser.parseDecodedHeader(text));
  for (const { email } of addresses) {
    const address = email.toLowerCase();
    const found =
      named.get(address) ??
      (await new Promise(resolve =>
        secure.asyncFindCertByEmailAddr(address, {
          QueryInterface: ChromeUtils.generateQI(["nsIDoneFindCertForEmailCallback"]),
          findCertDone: (_, certificate) => resolve(certificate),
        })
      ));
    if (!found) {
      return { unknown: email };
    }
    secure.cacheValidCertForEmail(address, found.dbKey);
  }
}
fields.composeSecure = secure;
const send = Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend);
return new Promise(resolve => {
  const listener = {
    QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener"]),
    onStartSending() {},
    onProgress() {},
    onStatus() {},
    onGetDraftFolderURI() {},
    onSendProgress() {},
    onSendNotPerformed: (id, status) => resolve({ status: status.toString(16), why: "not performed" }),
    onStopSending: (id, status, message) => resolve({ status: status.toString(16), why: message }),
    onTransportSecurityError: (...why) => resolve({ status: "tls", why: why.map(String) }),
  };
  const deliver = Ci.nsIMsgSend.nsMsgDeliverNow;
  const sending = send.createAndSendMessage(
    null, identity, account.key, fields, false, false, deliver, null, draft.mediaType, draft.body,
    null, null, listener, "", "", Ci.nsIMsgCompType.New
  );
  Promise.resolve(sending).catch(error => resolve({ status: (error.result ?? 1).toString(16), why: String(error) }));
});
