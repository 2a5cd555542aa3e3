# A client of tclxmpp over HTTP polling: logs in, sends a message to itself, then in turns some to a peer, waiting for as many of the
# peer's, and closes. All that came in order is told at the end.
# tclsh tclxmpp.tcl URL DOMAIN USER PASSWORD PEER KEYS(0|1) NUMKEYS SASL(0|1) TURNS MESSAGES INTERVAL
lappend auto_path /usr/share/tkabber/tclxmpp
lassign $argv url domain user password peer keys numkeys sasl turns messages interval
package require xmpp
package require xmpp::transport::poll
package require xmpp::sasl
package require xmpp::auth

set bodies {}
proc got {xlib from type x args} {
    foreach {key value} $args {
        if {$key eq "-body"} {
            lappend ::bodies $value
            set ::news 1
        }
    }
}
proc await {body} {
    while {$body ni $::bodies} { vwait ::news }
}

fconfigure stdout -encoding utf-8 -buffering line
after 40000 {puts timeout; exit 3}
set x [::xmpp::new -messagecommand got]
::xmpp::connect $x $domain 0 -transport poll -url $url \
    -usekeys $keys -numkeys $numkeys -min $interval -max 1000 -timeout 20000
if {$sasl} {
    ::xmpp::openStream $x $domain -version 1.0
    ::xmpp::sasl::auth $x -username $user -password $password -resource poll
} else {
    set id [::xmpp::openStream $x $domain]
    ::xmpp::auth::auth $x -sessionid $id -username $user -password $password -resource poll
}
::xmpp::sendPresence $x
puts online
::xmpp::sendMessage $x $user@$domain/poll -type chat -body "\u00fc <&>"
await "\u00fc <&>"
for {set turn 0} {$turn < $turns} {incr turn} {
    for {set n 0} {$n < $messages} {incr n} {
        ::xmpp::sendMessage $x $peer -type chat -body "out [expr {$turn * $messages + $n}]"
    }
    await "in [expr {($turn + 1) * $messages - 1}]"
}
::xmpp::disconnect $x -wait 1
puts "done [join $bodies ,]"
exit 0
