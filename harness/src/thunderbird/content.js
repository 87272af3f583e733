// What the program's own decoder finds in a CMS object. Argument: its octets in
// base64. Returns the content in base64.
const [object] = arguments;
const octets = Uint8Array.fromBase64(object);
const decoder = Cc["@mozilla.org/nsCMSDecoderJS;1"].createInstance(Ci.nsICMSDecoderJS);
return new Uint8Array(decoder.decrypt(octets)).toBase64();
