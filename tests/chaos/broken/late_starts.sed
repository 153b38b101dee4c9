# run/start: the token is not looked at, nor whether another executor has the run.
s/^if f\[2\] ~= token or not (f\[1\] == 'NotStarted' or again) then$/if false then/
