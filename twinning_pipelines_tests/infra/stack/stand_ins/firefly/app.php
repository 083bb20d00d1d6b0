<?php

return new Kernel();
