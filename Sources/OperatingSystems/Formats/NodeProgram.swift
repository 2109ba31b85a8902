/// Makes a Linux with systemd and curl a node of a standalone cluster: the messages of docs/reference-os.md, from a shell.
struct NodeProgram {
    /// Of its settings, and of what it keeps where that is not /etc.
    let folder: String

    var path: String { folder + "/node" }
    var settings: String { folder + "/node.conf" }

    var unit: NodeSetup.Unit {
        .init(
            name: "slipway-node.service",
            content: """
                [Unit]
                Description=Node of a Slipway cluster
                Wants=network-online.target
                After=network-online.target slipway-join.service

                [Service]
                ExecStart=/bin/sh \(path)
                Restart=always
                RestartSec=5

                [Install]
                WantedBy=multi-user.target

                """)
    }

    var text: String {
        guard folder != NodeSetup.usualFolder else { return Self.usual }
        return Self.usual.replacing(
            "conf=/etc/slipway state=/var/lib/slipway", with: "conf=\(folder) state=\(folder)/state")
    }

    private static let usual = """
        #!/bin/sh
        # A node of a standalone cluster: registers once with the one-time token, then sends heartbeats. The server is known by ca.pem alone.
        # Secrets travel by file and pipe, never as an argument.
        set -u
        umask 077
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        conf=/etc/slipway state=/var/lib/slipway run=/run/slipway
        mkdir -p "$state" "$run"
        read -r boot </proc/sys/kernel/random/boot_id
        . "$conf/node.conf"

        # Posts standard input to path $1; sets `status`, 000 without an answer.
        post() {
            status=$(curl --disable --silent --show-error --proto =https --noproxy '*' --cacert "$conf/ca.pem" \\
                --connect-timeout 10 --max-time 20 --max-filesize 65536 --header 'Content-Type: application/json' \\
                --header "@$run/authorization" --data-binary @- --output "$run/answer" --write-out '%{http_code}' "$SERVER$1") ||
                status=000
        }

        addresses() {
            ip -o addr show scope global | sed -n 's/.* inet6\\{0,1\\} \\([0-9a-f.:]*\\).*/"\\1"/p' | tr '\\n' ',' | sed 's/,$//'
        }

        # Made once and kept before it is first used, so that a repeated registration is recognised.
        credential() {
            if [ ! -s "$state/credential" ]; then
                head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' >"$state/credential.new"
                sync
                mv "$state/credential.new" "$state/credential"
            fi
            cat "$state/credential"
        }

        register() {
            : >"$run/authorization"
            post /api/v1/nodes/register <<END
        {"token":"$JOIN_TOKEN","name":"$HOSTNAME","machine":"$MACHINE_ID","osRelease":"$OS_RELEASE","credential":"$(credential)",
        "bootID":"$boot","kernel":"$(uname -r)","addresses":[$(addresses)]}
        END
            case $status in 200 | 201) ;; *) return 1 ;; esac
            sed -n 's/.*"heartbeatSeconds" *: *\\([0-9]*\\).*/\\1/p' "$run/answer" | head -n 1 >"$state/registered"
            # Overwritten where it lies: removing a file leaves its bytes on the disk.
            sed '/^JOIN_TOKEN=/s/[0-9a-f]/#/g' "$conf/node.conf" >"$run/node.conf"
            dd if="$run/node.conf" of="$conf/node.conf" conv=notrunc,fsync 2>/dev/null
            rm -f "$run/node.conf"
            echo "registered as $HOSTNAME with cluster $CLUSTER at $SERVER"
        }

        # What is in release.d ends the work that there is; while one of them fails, or runs, the node stays.
        leave() {
            for hook in "$conf"/release.d/*; do
                [ -x "$hook" ] || continue
                "$hook" || { echo "release hook ${hook##*/} failed" >"$run/stays"; return; }
            done
            rm -f "$run/stays"
            sync
            post "/api/v1/nodes/$HOSTNAME/left" </dev/null
            case $status in 2??) ;; *) return ;; esac
            : >"$run/left"
            echo "left cluster $CLUSTER"
            if grep -q '"restart" *: *true' "$run/answer"; then systemctl reboot; fi
        }

        heartbeat() {
            printf 'Authorization: Bearer %s\\n' "$(credential)" >"$run/authorization"
            stays=
            if [ -s "$run/stays" ]; then stays=",\\"leaving\\":\\"$(tr -cd 'A-Za-z0-9 ._-' <"$run/stays")\\""; fi
            post "/api/v1/nodes/$HOSTNAME/heartbeat" <<END
        {"bootID":"$boot","osRelease":"$OS_RELEASE"$stays}
        END
            case $status in 2??) ;; *) return ;; esac
            if ! grep -q '"leave" *: *true' "$run/answer" 2>/dev/null; then
                rm -f "$run/left" "$run/stays"
            elif [ ! -e "$run/left" ]; then
                leave
            fi
            rm -f "$run/answer"
        }

        wait=1
        until [ -s "$state/registered" ] || register; do
            echo "not registered yet: HTTP $status" >&2
            sleep $wait
            wait=$((wait < 30 ? wait * 2 : 60))
        done
        read -r every <"$state/registered"
        while :; do
            heartbeat
            sleep "${every:-5}"
        done

        """
}
