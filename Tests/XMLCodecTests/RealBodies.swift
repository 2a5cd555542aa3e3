/// Bodies that real clients sent to Prosody 0.12.3, byte for byte; each form once.
enum RealBodies {
    /// Strophe 5.0.0 in Chromium 156.
    static let strophe: [String] = [
        #"""
        <body content="text/xml; charset=utf-8" hold="1" rid="4141450188" to="example.test" ver="1.6" wait="\#
        4" xml:lang="en" xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" xmpp:versio\#
        n="1.0"/>
        """#,
        #"""
        <body rid="4141450189" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" xmlns="http://jabber.org/protocol/\#
        httpbind"><auth mechanism="SCRAM-SHA-256" xmlns="urn:ietf:params:xml:ns:xmpp-sasl">biwsbj1hbGljZSxyP\#
        XN2anBJTkxqbXlrd3lDTWpQYkVTb1E9PQ==</auth></body>
        """#,
        #"""
        <body rid="4141450190" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" xmlns="http://jabber.org/protocol/\#
        httpbind"><response xmlns="urn:ietf:params:xml:ns:xmpp-sasl">Yz1iaXdzLHI9c3ZqcElOTGpteWt3eUNNalBiRVN\#
        vUT09NGNmNjgzYmUtOWExNS00NjQ5LWE5YmItMjYxMDcxYjIyNzg4LHA9U3ZXKzBvMWlpbDl2Q2hUZ09pRUNYcjRTclAyOEdXYyt\#
        IQktUL25rVkFMOD0=</response></body>
        """#,
        #"""
        <body rid="4141450191" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" to="example.test" xml:lang="en" xm\#
        lns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" xmpp:restart="true"/>
        """#,
        #"""
        <body rid="4141450192" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" xmlns="http://jabber.org/protocol/\#
        httpbind"><iq id="_bind_auth_2" type="set" xmlns="jabber:client"><bind xmlns="urn:ietf:params:xml:ns\#
        :xmpp-bind"><resource>tabA</resource></bind></iq></body>
        """#,
        #"""
        <body rid="4141450193" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" xmlns="http://jabber.org/protocol/\#
        httpbind"><iq id="_session_auth_2" type="set" xmlns="jabber:client"><session xmlns="urn:ietf:params:\#
        xml:ns:xmpp-session"/></iq></body>
        """#,
        #"""
        <body rid="4141450194" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" xmlns="http://jabber.org/protocol/\#
        httpbind"><presence xmlns="jabber:client"/></body>
        """#,
        #"""
        <body rid="4141450195" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" xmlns="http://jabber.org/protocol/\#
        httpbind"/>
        """#,
        #"""
        <body rid="2861887988" sid="c3c2ae8d-9a9d-4276-91f4-23856c2141d3" xmlns="http://jabber.org/protocol/\#
        httpbind"><auth mechanism="SCRAM-SHA-256" xmlns="urn:ietf:params:xml:ns:xmpp-sasl">biwsbj1hbGljZSxyP\#
        XpNRnVoMVZ4UnVUakdCd2tNMDR2V2c9PQ==</auth></body>
        """#,
        #"""
        <body rid="2861887989" sid="c3c2ae8d-9a9d-4276-91f4-23856c2141d3" xmlns="http://jabber.org/protocol/\#
        httpbind"><response xmlns="urn:ietf:params:xml:ns:xmpp-sasl">Yz1iaXdzLHI9ek1GdWgxVnhSdVRqR0J3a00wNHZ\#
        XZz09Y2E4ZGM4MTQtN2YwOC00YzEyLWFmODItODdkYWFmNjcwODc3LHA9MURBLzFMRTBJZ0piS3B4UzlvMkJ6VDMxbWpJYTJDWXl\#
        lVmJCRjI5MTY3ND0=</response></body>
        """#,
        #"""
        <body rid="2861887993" sid="c3c2ae8d-9a9d-4276-91f4-23856c2141d3" xmlns="http://jabber.org/protocol/\#
        httpbind"><presence xmlns="jabber:client"/><message to="alice@example.test/tabA" type="chat" xmlns="\#
        jabber:client"><body>héllo € 😀 &lt;&amp;&gt;&quot;&apos; ]]&gt;</body></message></body>
        """#,
        #"""
        <body rid="4141450212" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" type="terminate" xmlns="http://jab\#
        ber.org/protocol/httpbind"><presence type="unavailable" xmlns="jabber:client"/></body>
        """#,
    ]
    /// gloox 1.0.24.
    static let gloox: [String] = [
        #"""
        <body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' content='text/xml; cha\#
        rset=utf-8' hold='1' rid='1728744506' ver='1.6' wait='30' ack='0' secure='false' route='xmpp:example\#
        .test:5222' xml:lang='en' xmpp:version='1.0' to='example.test'/>
        """#,
        #"""
        <body rid='1728744507' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1hbGljZSxyPTF\#
        lNjk1OWY3NWIzMDE1YTQwODU2YzZlMTNmOGJhYzVk</auth></body>
        """#,
        #"""
        <body rid='1728744508' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind'><response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdzLHI9MWU2OTU5Zjc1YjMwMTVhNDA4NTZ\#
        jNmUxM2Y4YmFjNWRmYTEwYzNiZC04MGE1LTRlNDEtYmU0Ni0wOWRhYjA4MzYxMGEscD1WRnBvb01Ea1EvUWt2MTZjVXhoaEhLbDZ\#
        PUXc9</response></body>
        """#,
        #"""
        <body rid='1728744509' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind' xmpp:restart='true' to='example.test' xml:lang='en' xmlns:xmpp='urn:xmpp:xbosh' />
        """#,
        #"""
        <body rid='1728744510' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind'><iq id='ba66bac25f2cae2c53228fb800f13a98c68eef9200000001' type='set' xmlns='jabber:client'\#
        ><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>gloox</resource></bind></iq></body>
        """#,
        #"""
        <body rid='1728744511' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind'><iq id='ba66bac25f2cae2c53228fb800f13a98c68eef9200000002' type='set' from='alice@example.t\#
        est/gloox' xmlns='jabber:client'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq></body>
        """#,
        #"""
        <body rid='1728744512' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind'><iq id='ba66bac25f2cae2c53228fb800f13a98c68eef9200000003' type='get' from='alice@example.t\#
        est/gloox' xmlns='jabber:client'><query xmlns='jabber:iq:private'><roster xmlns='roster:delimiter'/>\#
        </query></iq><iq id='ba66bac25f2cae2c53228fb800f13a98c68eef9200000004' type='get' from='alice@exampl\#
        e.test/gloox' xmlns='jabber:client'><query xmlns='jabber:iq:roster'/></iq></body>
        """#,
        #"""
        <body rid='1728744513' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind'><presence from='alice@example.test/gloox' xmlns='jabber:client'><priority>0</priority><c x\#
        mlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://camaya.net/gloox' ver='1LpOuB49QCQE\#
        6BcZoAF5tBoALdg='/></presence><message to='alice@example.test/gloox' type='chat' from='alice@example\#
        .test/gloox' xmlns='jabber:client'><body>n0 é€&lt;&amp;&gt;</body></message></body>
        """#,
        #"""
        <body rid='1728744514' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind'><message to='alice@example.test/gloox' type='chat' from='alice@example.test/gloox' xmlns='\#
        jabber:client'><body>n1 é€&lt;&amp;&gt;</body></message><message to='alice@example.test/gloox' type=\#
        'chat' from='alice@example.test/gloox' xmlns='jabber:client'><body>n2 é€&lt;&amp;&gt;</body></messag\#
        e></body>
        """#,
        #"""
        <body rid='1728744516' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' xmlns='http://jabber.org/protocol/\#
        httpbind'></body>
        """#,
        #"""
        <body rid='1728744517' sid='622fc504-1d23-496c-97bc-6ef3095aa7e6' type='terminal' xml:lang='en' xmln\#
        s='http://jabber.org/protocol/httpbind'/>
        """#,
        #"""
        <body rid='1728744508' sid='1aa1d6a6-8a98-466d-acb1-b76c45bffcf1' xmlns='http://jabber.org/protocol/\#
        httpbind'><response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdzLHI9MWU2OTU5Zjc1YjMwMTVhNDA4NTZ\#
        jNmUxM2Y4YmFjNWRkOTBkYTE4OC1mZjU2LTRhODktOTJiNC03MGFkMzc5M2I2ZmQscD13ZUtnNE8yb2hUOVNnNDdlN1JrUzF0dVR\#
        NV2s9</response></body>
        """#,
    ]
    /// libpurple 2.14.12.
    static let libpurple: [String] = [
        #"""
        <body content='text/xml; charset=utf-8' secure='true' to='example.test' xml:lang='en' xmpp:version='\#
        1.0' ver='1.6' xmlns:xmpp='urn:xmpp:xbosh' rid='2507819948981324' wait='60' hold='1' xmlns='http://j\#
        abber.org/protocol/httpbind'/>
        """#,
        #"""
        <body rid='2507819948981325' sid='5dcb9412-8191-46ff-943b-8a97a492af67' to='example.test' xml:lang='\#
        en' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'><auth xmlns='urn:ietf:pa\#
        rams:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256' xmlns:ga='http://www.google.com/talk/protocol/auth'\#
         ga:client-uses-full-bind-result='true'>biwsbj1hbGljZSxyPTNMbEtjTUNKK0FOcXJEdVk1K041SFByWWU2NUJpVXl5\#
        </auth></body>
        """#,
        #"""
        <body rid='2507819948981326' sid='5dcb9412-8191-46ff-943b-8a97a492af67' to='example.test' xml:lang='\#
        en' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'><response xmlns='urn:iet\#
        f:params:xml:ns:xmpp-sasl'>Yz1iaXdzLHI9M0xsS2NNQ0orQU5xckR1WTUrTjVIUHJZZTY1QmlVeXk3YmIxZTZhMC02ZjU0L\#
        TRkN2YtYmRiYy05ZjI3Y2NlNDU5ZWYscD1yMUY2NnR3ajd4OUlISUFTYnpDTWsyREQwT2xtaVlBQm9wSklsR3BDdkc0PQ==</res\#
        ponse></body>
        """#,
        #"""
        <body rid='2507819948981327' sid='5dcb9412-8191-46ff-943b-8a97a492af67' to='example.test' xml:lang='\#
        en' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'/>
        """#,
        #"""
        <body rid='2507819948981328' sid='5dcb9412-8191-46ff-943b-8a97a492af67' to='example.test' xml:lang='\#
        en' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'><iq xmlns='jabber:client\#
        ' type='set' id='purple57ffbd15'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>purple</re\#
        source></bind></iq></body>
        """#,
        #"""
        <body rid='2507819948981329' sid='5dcb9412-8191-46ff-943b-8a97a492af67' to='example.test' xml:lang='\#
        en' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'><enable xmlns='urn:xmpp:\#
        sm:3'/><iq xmlns='jabber:client' type='set' id='purple57ffbd16'><session xmlns='urn:ietf:params:xml:\#
        ns:xmpp-session'/></iq><r xmlns='urn:xmpp:sm:3'/></body>
        """#,
        #"""
        <body rid='2507819948981330' sid='5dcb9412-8191-46ff-943b-8a97a492af67' to='example.test' xml:lang='\#
        en' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'><iq xmlns='jabber:client\#
        ' type='get' id='purple57ffbd17' to='example.test'><query xmlns='http://jabber.org/protocol/disco#it\#
        ems'/></iq><r xmlns='urn:xmpp:sm:3'/><iq xmlns='jabber:client' type='get' id='purple57ffbd18' to='ex\#
        ample.test'><query xmlns='http://jabber.org/protocol/disco#info'/></iq><r xmlns='urn:xmpp:sm:3'/><a \#
        xmlns='urn:xmpp:sm:3' h='1'/></body>
        """#,
        #"""
        <body rid='2507819948981335' sid='5dcb9412-8191-46ff-943b-8a97a492af67' to='example.test' xml:lang='\#
        en' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' type='terminate'><a xmln\#
        s='urn:xmpp:sm:3' h='29'/></body>
        """#,
    ]
}
