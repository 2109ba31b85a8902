import sys, tempfile
from pathlib import Path
from tests.machine import Machine; from tests.disk import Disk; from tests.registry import *
fw,bus=sys.argv[1:3]
d=Path(tempfile.mkdtemp(dir='/work/scratch/refos'))
reg=Registry(Authority(d)); tok="tok-secret-"+"a"*32; reg.tokens.add(tok)
conf=f"HOSTNAME=node-1\nMACHINE_ID=m-1\nCLUSTER=demo\nOS_RELEASE=reference-1.0\nSERVER={reg.url}\nJOIN_TOKEN={tok}\nNETWORK=dhcp\n"
disk=Disk.install(Path('/work/scratch/refos/out/reference-os.raw'), d/'disk', {'machine.conf':conf,'ca.pem':reg.authority.pem})
print(d)
with Machine(d,disk,fw,bus,extra=tuple(sys.argv[3:])) as m:
    try:
        print(m.wait('slipway: registered', 90))
        print(m.wait('slipway: the state partition', 60))
    except Exception as e: print(str(e)[:300])
    print(m.console()[-6000:])
print(reg.registrations, len(reg.heartbeats), disk.contains(tok), disk.grubenv(), disk.partitions())
