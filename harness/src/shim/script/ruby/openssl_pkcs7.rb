# Ruby's OpenSSL::PKCS7 as a shim.
#
# It has the PKCS #7 of OpenSSL, not its CMS: no signers by key identifier, no
# RSASSA-PSS and OAEP, no key agreement, no AuthEnvelopedData. To tell integrity
# from chain, every signature is checked twice: without the certificate, then the
# certificate alone.

require 'openssl'
require_relative 'shim'

class Pkcs7
  include OpenSSL
  include Shim

  OPERATIONS = %w[hello open sign encrypt].freeze
  CIPHERS = %w[aes-128-cbc aes-192-cbc aes-256-cbc 3des-cbc].freeze
  OLD_CIPHERS = %w[des-cbc rc2-cbc-40 rc2-cbc-64 rc2-cbc-128].freeze

  def hello(_request)
    {
      protocol: 1,
      hello: {
        name: 'ruby',
        version: "#{OpenSSL::VERSION} (Ruby #{RUBY_VERSION})",
        operations: %w[open sign encrypt],
        algorithms: (OPENSSL['pkcs7'] + (legacy? ? " #{OPENSSL['legacy']}" : '')).split,
        forms: %w[signed encrypted],
        aspects: %w[structure decryption integrity chain],
        deviations: false,
        # PKCS7#verify passes over the time of its store.
        clock: clock_can_be_set? ? 'faketime' : 'system',
        writes_forms: %w[clear opaque encrypted],
        writes_algorithms: %w[sha-256 rsa-pkcs1-v1_5 ecdsa] + ciphers
      }
    }
  end

  # --- reading

  def open(request)
    %w[ocsp passwords symmetric_keys].each do |field|
      raise Unsupported, "OpenSSL::PKCS7 takes no #{field}" unless request[field].to_a.empty?
    end
    opening = Opening.new(request)
    octets = at(request['clock']) { opening.peel }
    verdict = verdict('ruby', opening.layers)
    spit(request, request['out'], octets) if %w[valid undetermined].include?(verdict[:overall])
    { verdict: verdict }.merge(opening.words.empty? ? {} : { native: opening.words.join(' | ') })
  end

  # One message on its way through the layers.
  class Opening
    include OpenSSL
    include Shim

    attr_reader :layers, :words

    def initialize(request)
      @request = request
      @layers = []
      @words = []
    end

    # Judges layer after layer; the result is what is inside of all that came off.
    def peel
      octets = slurp(@request, @request['message'])
      while @layers.size < MOST_LAYERS
        entity = entity(octets)
        inside = entity.shown?(@layers.empty?) ? judge(octets, entity) : nil
        return octets if inside.nil?

        octets = inside
      end
      octets
    end

    private

    # Judges one layer; the result is what is inside, if anything came out.
    def judge(octets, entity)
      kind, name = kind_of(octets, entity)
      kind ||= entity.kind || 'unknown'
      layer = layer(@layers, kind, name || kind, kind == 'signed' ? entity.form || 'opaque' : nil)
      read = -> { entity.encoding == :mail ? PKCS7.read_smime(octets) : PKCS7.new(octets) }
      _, words = attempt(&read)
      if words
        layer[:structure] = bad(translate(words)&.last || 'bad-ber', words)
        nil
      elsif kind == 'encrypted'
        decrypted(layer, read.call)
      else
        checked(layer, read, @layers.one? && entity.encoding != :mail ? @request['content'] : nil)
      end
    end

    def checked(layer, read, content)
      # Read anew each time: verify leaves what came out in the object, and would take it for the content.
      verify = lambda do |flags|
        message = read.call
        data = content && slurp(@request, content)
        inside, words = attempt do
          fine = message.verify(extra, store, data, flags | PKCS7::BINARY)
          fine ? message.data.to_s : raise(PKCS7::PKCS7Error, message.error_string || 'verify said false')
        end
        [inside, words, message]
      end
      inside, words, message = verify.call(PKCS7::NOVERIFY)
      aspect, reason = words && translate(words)
      if aspect == 'structure'
        layer[:structure] = bad(reason, words)
        layer[:integrity] = 'unchecked'
        layer[:chain] = @request['anchors'] ? 'unchecked' : { unchecked: 'no-anchor' }
        return
      end
      layer[:integrity] = words.nil? ? 'good' : bad(aspect == 'integrity' ? reason : 'signature-mismatch', words)
      layer[:chain] = reason == 'signer-certificate-not-found' ? 'unchecked' : chain(verify, message)
      # What a bad signature covers comes out too: the layers inside it can be told.
      inside || verify.call(PKCS7::NOVERIFY | PKCS7::NOSIGS).first
    end

    def chain(verify, message)
      return { unchecked: 'no-anchor' } if @request['anchors'].nil?

      _, words, = verify.call(PKCS7::NOSIGS)
      return 'good' if words.nil?

      # Nothing else was checked: whatever is said that is no fault of the message is said of a certificate.
      aspect, reason = translate(words)
      return 'unchecked' if aspect == 'structure' || reason == 'signer-certificate-not-found'

      # Why, only the store says.
      why = signers(message).filter_map do |certificate|
        asked = store
        asked.error_string unless asked.verify(certificate, message.certificates.to_a)
      rescue OpenSSLError => e
        # It raises where the path cannot even be looked at, such as one to a key without its parameters.
        e.message
      end.first
      bad((why && translate(why)&.last) || 'untrusted', [words, why].compact.join(': '))
    end

    def signers(message)
      known = message.certificates.to_a + extra
      message.signers.filter_map do |signer|
        known.find { |certificate| certificate.serial == signer.serial && certificate.issuer == signer.issuer }
      end
    end

    def store
      store = X509::Store.new
      flags = X509::V_FLAG_PARTIAL_CHAIN
      store.purpose = X509::PURPOSE_SMIME_SIGN
      pems(@request, @request['anchors']).each { |pem| store.add_cert(X509::Certificate.new(pem)) }
      @request['crls'].to_a.each { |name| store.add_crl(X509::CRL.new(slurp(@request, name))) }
      flags |= X509::V_FLAG_CRL_CHECK unless @request['crls'].to_a.empty?
      flags |= X509::V_FLAG_CRL_CHECK | X509::V_FLAG_CRL_CHECK_ALL if @request['require_revocation']
      # As `openssl cms` is started: a delta CRL counts beside the complete one (RFC 5280 section 5.2.4).
      flags |= X509::V_FLAG_USE_DELTAS | X509::V_FLAG_EXTENDED_CRL_SUPPORT if flags & X509::V_FLAG_CRL_CHECK != 0
      store.flags = flags
      store
    end

    def extra
      pems(@request, @request['extra_certificates']).map { |pem| X509::Certificate.new(pem) }
    end

    def decrypted(layer, message)
      layer[:decryption] = bad('no-key', 'no key with a certificate was given')
      @request['keys'].to_a.select { |own| own['certificate'] }.each do |own|
        key = PKey.read(slurp(@request, own['key']))
        certificate = X509::Certificate.new(slurp(@request, own['certificate']))
        inside, words = attempt { message.decrypt(key, certificate) }
        if inside
          # In the place of a key that does not fit OpenSSL takes a random one (RFC 3218
          # section 2.3.2), and one in 256 of these gives a right padding.
          again, = attempt { message.decrypt(key, certificate) }
          if again == inside
            layer[:decryption] = 'good'
            return inside
          end
          words = 'what comes out is another thing each time'
        end
        aspect, reason = translate(words)
        if aspect == 'structure'
          layer[:structure] = bad(reason, words)
          layer[:decryption] = 'unchecked'
          return
        end
        # That another key is not a recipient's says nothing of this message.
        next unless layer[:decryption][:bad] == 'no-key'

        layer[:decryption] = bad(aspect == 'decryption' ? reason : 'wrong-key', words)
      end
      nil
    end

    # What came out, or what the exception said.
    def attempt
      [yield, nil]
    rescue OpenSSLError, ArgumentError => e
      @words << e.message
      [nil, e.message]
    end
  end

  # --- writing

  def sign(request)
    if request.fetch('digest', 'sha-256') != 'sha-256' || request['scheme'] == 'rsassa-pss'
      raise Unsupported, 'PKCS7.sign cannot be told a digest or a scheme: its habit is SHA-256'
    end
    raise Unsupported, 'PKCS7.sign cannot be told what SMIMECapabilities lists' if request['announces']

    key = PKey.read(slurp(request, request['key']['key']))
    certificate = X509::Certificate.new(slurp(request, request['key']['certificate']))
    sent = %w[certificates encryption_certificate].flat_map { |field| pems(request, request[field]) }
    flags = PKCS7::BINARY | (request.fetch('form', 'clear') == 'clear' ? PKCS7::DETACHED : 0)
    outer, inner = split_mail(slurp(request, request['message']))
    at(request['clock']) do
      message = PKCS7.sign(certificate, key, inner, sent.map { |pem| X509::Certificate.new(pem) }, flags)
      spit(request, request['out'], outer + crlf(PKCS7.write_smime(message, inner, flags).b, inner))
    end
    { wrote: {} }
  rescue PKCS7::PKCS7Error, PKey::PKeyError => e
    raise Unsupported, "OpenSSL::PKCS7 would not sign: #{e.message}"
  end

  def encrypt(request)
    raise Unsupported, 'PKCS7.encrypt cannot be told how a key is encrypted' if request['key_encryption']

    # Its own habit is RC2 with 40 bits; nobody shall be sent that unasked.
    name = request.fetch('cipher', 'aes-128-cbc')
    raise Unsupported, "PKCS7.encrypt has no cipher #{name}" unless ciphers.include?(name)

    recipients = recipients(request)
    outer, inner = split_mail(slurp(request, request['message']))
    message = PKCS7.encrypt(recipients, inner, Cipher.new(spelled(name)), PKCS7::BINARY)
    spit(request, request['out'], outer + crlf(PKCS7.write_smime(message).b))
    serials = recipients.map { |certificate| certificate.serial.to_s(16).downcase }
    { wrote: { cipher: name, recipients: serials, why: "PKCS7.encrypt was told #{name}" } }
  rescue PKCS7::PKCS7Error => e
    raise Unsupported, "OpenSSL::PKCS7 would not encrypt: #{e.message}"
  end

  private

  # The certificates to encrypt for: those named, or those that name the addresses.
  def recipients(request)
    named = request['recipients'].to_a.flat_map { |file| pems(request, file) }
    known = pems(request, request['extra_certificates'])
    addresses = named.empty? ? request['to'] : []
    found = addresses.map do |address|
      known.find { |pem| names(pem).include?(address.downcase) } || raise(Refused.new('not-known', "no certificate names #{address}"))
    end
    (named + found + pems(request, request['copy_for'])).map { |pem| X509::Certificate.new(pem) }
  end

  def names(pem)
    extensions = X509::Certificate.new(pem).extensions.select { |extension| extension.oid == 'subjectAltName' }
    extensions.flat_map { |extension| extension.value.downcase.scan(/email:([^,\s]+)/).flatten }
  end

  # The name of a cipher as OpenSSL has it.
  def spelled(name)
    { '3des-cbc' => 'des-ede3-cbc', 'rc2-cbc-128' => 'rc2-cbc', 'rc2-cbc-64' => 'rc2-64-cbc', 'rc2-cbc-40' => 'rc2-40-cbc' }.fetch(name, name)
  end

  def ciphers
    CIPHERS + (legacy? ? OLD_CIPHERS : [])
  end

  def legacy?
    cipher = Cipher.new('rc2-cbc').encrypt
    cipher.key = 'k' * 16
    true
  rescue Cipher::CipherError, RuntimeError
    false
  end
end

Shim.serve(Pkcs7.new)
