// Writes a mail and sends it. Arguments: to, subject, body, sign, encrypt.
const [to, subject, body, sign, encrypt] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const account = MailServices.accounts.accounts[0];
const identity = account.defaultIdentity;
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
fields.from = `${identity.fullName} <${identity.email}>`;
fields.to = to;
fields.subject = subject;
fields.body = body;
fields.useMultipartAlternative = false;
fields.forcePlainText = true;
const secure = Cc["@mozilla.org/messengercompose/composesecure;1"].createInstance(Ci.nsIMsgComposeSecure);
secure.signMessage = sign;
secure.requireEncryptMessage = encrypt;
if (encrypt) {
  // The window of a message looks for the certificates while addresses are typed.
  const addresses = [to, fields.from].flatMap(text => MailServices.headerParser.parseEncodedHeader(text));
  for (const { email } of addresses) {
    const found = await new Promise(resolve =>
      secure.asyncFindCertByEmailAddr(email.toLowerCase(), {
        QueryInterface: ChromeUtils.generateQI(["nsIDoneFindCertForEmailCallback"]),
        findCertDone: (address, certificate) => resolve(certificate),
      })
    );
    if (found) {
      secure.cacheValidCertForEmail(email.toLowerCase(), found.dbKey);
    }
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
    null, identity, account.key, fields, false, false, deliver, null, "text/plain", body,
    null, null, listener, "", "", Ci.nsIMsgCompType.New
  );
  Promise.resolve(sending).catch(error => resolve({ status: (error.result ?? 1).toString(16), why: String(error) }));
});
