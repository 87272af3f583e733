# What a shim in Ruby needs, whatever it drives: the loop over JSON lines, a look at
# a mail, and the verdict. harness/SHIM.md is the manual of the protocol.

require 'json'
require 'time'

module Shim
  # What cannot be done as it was asked.
  class Unsupported < StandardError; end

  # Something that correspondents should be told, with a stable word.
  class Refused < StandardError
    attr_reader :reason

    def initialize(reason, detail)
      super(detail)
      @reason = reason
    end
  end

  # Object identifiers of content types as DER, kinds of layers, names.
  KINDS = [
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 'signed', 'signed-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 'encrypted', 'enveloped-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05", 'digested', 'digested-data'],
    ["\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", 'encrypted-data', 'encrypted-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02", 'authenticated', 'authenticated-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09", 'compressed', 'compressed-data'],
    ["\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 'authenveloped', 'authEnveloped-data']
  ].map { |identifier, kind, name| [identifier.b, kind, name] }.freeze

  # The table that all scripts on OpenSSL share.
  OPENSSL = JSON.parse(File.read(File.join(__dir__, '..', 'openssl.json'))).freeze

  MOST_LAYERS = 16

  module_function

  # Answers requests until the input ends. The operations of the peer return what
  # stands beside `id`.
  def serve(peer)
    $stdout.sync = true
    $stdin.each_line do |line|
      next if line.strip.empty?

      begin
        request = JSON.parse(line)
        answer = { id: request['id'] }.merge(answer(peer, request))
      rescue JSON::ParserError => e
        answer = { id: 0, error: "the request is not understood: #{e.message}" }
      end
      puts JSON.generate(answer)
    end
  end

  def answer(peer, request)
    operation = request['op'].tr('-', '_')
    return { unsupported: "the operation #{request['op']} is not offered" } unless peer.class::OPERATIONS.include?(operation)
    return { unsupported: 'there are no settings' } unless (request['settings'] || {}).empty?

    peer.public_send(operation, request)
  rescue Unsupported => e
    { unsupported: e.message }
  rescue Refused => e
    { refused: { reason: e.reason, detail: e.message } }
  rescue StandardError => e
    { error: "#{e.class}: #{e.message}" }
  end

  # --- files and time

  def slurp(request, name)
    File.binread(File.join(request['dir'], name))
  end

  def spit(request, name, octets)
    File.binwrite(File.join(request['dir'], name), octets)
  end

  # The certificates of a file, one PEM each.
  def pems(request, name)
    return [] if name.nil?

    slurp(request, name).scan(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?/m)
  end

  # Whether libfaketime was loaded into this process.
  def clock_can_be_set?
    ENV['LD_PRELOAD'].to_s.include?('libfaketime')
  end

  # Lets something run at another time, which libfaketime makes of a variable.
  def at(clock)
    return yield if clock.nil?
    raise Unsupported, 'the time cannot be set: libfaketime is not here' unless clock_can_be_set?

    begin
      ENV['FAKETIME'] = Time.iso8601(clock).utc.strftime('%F %T')
      yield
    ensure
      ENV.delete('FAKETIME')
    end
  end

  # --- mail

  Entity = Struct.new(:encoding, :type, :claims, :kind, :form) do
    # Whether the peer is asked about it. The message itself is shown to it unless it
    # is mere text; what comes out of a layer only if it claims to be S/MIME.
    def shown?(outermost)
      return encoding == :mail && claims unless outermost

      claims || !(type.empty? || type.start_with?('text/'))
    end
  end

  # What the beginning of a message says: encoding, media type, whether it claims to
  # be S/MIME, and kind and form that it announces.
  def entity(octets)
    return Entity.new(:der, '', true) if octets.start_with?("\x30")
    return Entity.new(:pem, '', true) if octets.start_with?('-----BEGIN ')

    head = head_and_body(octets).first.gsub(/\r?\n[ \t]+/, ' ')
    value = head[/^Content-Type[ \t]*:[ \t]*([^\r\n]*)/i, 1].to_s.downcase
    type = value.split(';').first.to_s.strip
    claims = %w[multipart/signed application/pkcs7-mime application/x-pkcs7-mime].include?(type) ||
             (type == 'application/octet-stream' && value.match?(/\.p7[msz]\b/))
    return Entity.new(:mail, type, claims, 'signed', 'clear') if type == 'multipart/signed'

    announced = value[/smime-type="?([a-z-]+)/, 1]
    kind = KINDS.find { |row| row[2].downcase == announced }&.at(1)
    Entity.new(:mail, type, claims, kind, kind == 'signed' ? 'opaque' : nil)
  end

  # Header, with its last line end, and body.
  def head_and_body(mail)
    head, blank, body = mail.partition(/\r?\n\r?\n/n)
    blank.empty? ? [mail, ''.b] : ["#{head}\r\n", body]
  end

  # Kind and name of an object, by the content type that stands in it; nil if it
  # cannot be read.
  def kind_of(octets, entity)
    return %w[signed signed-data] if entity.form == 'clear'

    case entity.encoding
    when :pem
      octets = octets.gsub(/-----[^\n]*/, '').unpack1('m')
    when :mail
      head, body = head_and_body(octets)
      octets = head.match?(/^Content-Transfer-Encoding[ \t]*:\s*base64/i) ? body[0, 400].unpack1('m') : body
    end
    start = octets.b[0, 64]
    KINDS.find { |identifier, _| start.include?(identifier) }&.drop(1)
  end

  # Takes a mail apart for protection (RFC 8551 section 3.1): the fields that stay
  # outside, and the entity.
  def split_mail(mail)
    head, body = head_and_body(mail)
    fields = head.scan(/^[^\r\n]+\r?\n(?:[ \t][^\r\n]*\r?\n)*/n)
    inner, outer = fields.partition { |field| field.match?(/\Acontent-/i) }
    [outer.grep_v(/\Amime-version:/i).join, "#{inner.join}\r\n#{body}"]
  end

  # A mail as a library wrote it, with the line ends of a mail; those of what was
  # signed are left alone.
  def crlf(mail, signed = nil)
    at = signed ? mail.index(signed) : nil
    return mail.gsub(/\r?\n/n, "\r\n") if at.nil?

    mail[0, at].gsub(/\r?\n/n, "\r\n") + signed + mail[(at + signed.bytesize)..].gsub(/\r?\n/n, "\r\n")
  end

  # --- the verdict

  def layer(layers, kind, name, form)
    path = layers.empty? ? "1/#{name}" : "#{layers.last[:path]}/1/#{name}"
    layer = { path: path, kind: kind, structure: 'good' }
    layer[:form] = form if form
    layers << layer
    layer
  end

  def bad(reason, detail)
    { bad: reason, detail: detail }
  end

  def verdict(provider, layers)
    aspects = layers.flat_map { |layer| layer.values_at(:structure, :decryption, :integrity, :chain) }.compact
    is = ->(name) { aspects.any? { |value| value == name.to_s || (value.is_a?(Hash) && value.key?(name)) } }
    overall = if layers.empty? then 'unprotected'
              elsif is[:bad] then 'invalid'
              else is[:unchecked] ? 'undetermined' : 'valid'
              end
    { format: 1, overall: overall, provider: provider, dialect: 'cms', layers: layers }
  end

  # Aspect and reason that words of OpenSSL stand for; nil if they are not in the table.
  def translate(words)
    OPENSSL['words'].find { |known, _| words.include?(known) }&.drop(1)
  end
end
