// A chat client on gloox, driven by lines on standard input.
//
//   gloox BOSH-HOST BOSH-PORT JID PASSWORD http10|http11|pipelining
//
// Reads  `send JID TEXT`, `leave` (presence unavailable) and `quit`; writes `online`, `message JID TEXT`, `error TEXT`, `offline`.
#include <gloox/client.h>
#include <gloox/connectionbosh.h>
#include <gloox/connectionlistener.h>
#include <gloox/connectiontcpclient.h>
#include <gloox/loghandler.h>
#include <gloox/message.h>
#include <gloox/messagehandler.h>
#include <gloox/presence.h>

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

using namespace gloox;

class Chat : public ConnectionListener, LogHandler, MessageHandler {
public:
    Chat(const JID& jid, const std::string& password, const std::string& host, int port, ConnectionBOSH::ConnMode mode)
        : client(jid, password)
    {
        client.registerConnectionListener(this);
        client.registerMessageHandler(this);
        client.logInstance().registerLogHandler(LogLevelDebug, LogAreaAll, this);
        client.setTls(TLSDisabled);
        client.setCompression(false);
        ConnectionBOSH* bosh = new ConnectionBOSH(
            &client, new ConnectionTCPClient(client.logInstance(), host, port), client.logInstance(), host, jid.server());
        bosh->setPath("/http-bind");
        bosh->setMode(mode);
        client.setConnectionImpl(bosh);
    }

    int run()
    {
        if (!client.connect(false)) {
            std::cout << "error not connected" << std::endl;
            return 1;
        }
        int failures = 0;
        while (!ended) {
            // gloox sends its queued requests only inside recv(), so the wait is short. Over HTTP/1.0 it also reports
            // the end of single connections here, which says nothing about the session: onDisconnect does.
            failures = client.recv(20000) == ConnNoError ? 0 : failures + 1;
            if (failures > 0) {
                usleep(1000);
            }
            if (failures > 1000) {
                onDisconnect(ConnNotConnected);
                break;
            }
            if (online) {
                readCommands();
            }
        }
        return 0;
    }

private:
    void readCommands()
    {
        pollfd input = {STDIN_FILENO, POLLIN, 0};
        while (!quitting && poll(&input, 1, 0) > 0) {
            char buffer[4096];
            ssize_t count = read(STDIN_FILENO, buffer, sizeof buffer);
            if (count <= 0) {
                quit();
                return;
            }
            pending.append(buffer, count);
            for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
                std::istringstream line(pending.substr(0, end));
                std::string word, to, text;
                line >> word;
                if (word == "send") {
                    line >> to >> std::ws;
                    std::getline(line, text);
                    Message message(Message::Chat, JID(to), text);
                    client.send(message);
                } else if (word == "leave") {
                    client.setPresence(Presence::Unavailable, 0);
                } else if (word == "quit") {
                    quit();
                }
            }
        }
    }

    void quit()
    {
        quitting = true;
        client.disconnect();
    }

    void onConnect() override
    {
        online = true;
        std::cout << "online" << std::endl;
    }

    void onDisconnect(ConnectionError error) override
    {
        if (ended) {
            return;
        }
        ended = true;
        if (error != ConnUserDisconnected) {
            std::cout << "error " << error << " authentication " << client.authError() << std::endl;
        }
        std::cout << "offline" << std::endl;
    }

    bool onTLSConnect(const CertInfo&) override { return true; }

    void handleMessage(const Message& message, MessageSession*) override
    {
        if (!message.body().empty()) {
            std::cout << "message " << message.from().full() << " " << message.body() << std::endl;
        }
    }

    void handleLog(LogLevel, LogArea, const std::string& line) override { std::cerr << line << std::endl; }

    Client client;
    std::string pending;
    bool online = false, quitting = false, ended = false;
};

int main(int count, char** arguments)
{
    if (count != 6) {
        return 64;
    }
    std::string mode = arguments[5];
    return Chat(JID(arguments[3]), arguments[4], arguments[1], std::atoi(arguments[2]),
                mode == "http10" ? ConnectionBOSH::ModeLegacyHTTP
                : mode == "http11" ? ConnectionBOSH::ModePersistentHTTP
                                   : ConnectionBOSH::ModePipelining).run();
}
