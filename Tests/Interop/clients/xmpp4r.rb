# A chat client on xmpp4r, driven by lines on standard input.
#
#   ruby xmpp4r.rb BOSH-URL JID PASSWORD
#
# Reads  `send JID TEXT` and `quit`; writes `online`, `message JID TEXT`, `error TEXT`, `offline`.
require 'xmpp4r'
require 'xmpp4r/httpbinding/client'

# xmpp4r replaces a method of REXML 1.8 that its present version needs: without this it parses nothing.
REXML::IOSource.send(:remove_method, :position) if REXML::Source.method_defined?(:position)

$stdout.sync = true
%w[http_proxy HTTP_PROXY].each { |name| ENV.delete(name) }
# To standard error. Without it a client that is answered twice at about the same time runs into a method that is not there,
# sends its last message again and may wait for ever (docs/decisions/0002-requests-is-at-least-two.md).
Jabber.debug = true

url, jid, password = ARGV
client = Jabber::HTTPBinding::Client.new(Jabber::JID.new(jid))
begin
  client.connect(url)
  client.auth(password)
rescue StandardError => error
  puts "error #{error.class} #{error.message}"
  exit 1
end
client.add_message_callback do |message|
  puts "message #{message.from} #{message.body}" if message.body
end
client.send(Jabber::Presence.new)
puts 'online'

while (line = $stdin.gets)
  word, to, text = line.chomp.split(' ', 3)
  break unless word == 'send'

  client.send(Jabber::Message.new(to, text).set_type(:chat))
end
client.close
puts 'offline'
