# A tree to be killed. Each of its members writes its pid into the folder that is the argument, under its name.
cd "$1" || exit 1
sh -c 'echo $$ >child; exec sleep 1000' &
sh -c 'trap "" TERM HUP; echo $$ >ignorer; while :; do sleep 1; done' &
setsid sh -c 'echo $$ >setsid; exec sleep 1000' &
(setsid sh -c 'echo $$ >daemon; exec sleep 1000' &)
echo $$ >main
wait
